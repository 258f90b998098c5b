"""Composes chameleon submissions: answers that agree with every test without knowing any.

Each name that the notebook should define is bound to an object that says yes to every
comparison, attribute and conversion, or to a function that returns the same whatever it is
asked. A check that such an object passes rests on the student's word, or on a lucky value.
Contract: knows the assignment's names, never its checks; every persona must get 0.
"""

from __future__ import annotations

import symtable
from dataclasses import dataclass

from nbformat import NotebookNode

from course.assignment import Assignment
from course.compose import fill, reference, stubs

COMPARED = ("eq", "ne", "lt", "le", "gt", "ge", "contains", "instancecheck", "subclasscheck", "bool", "exit")
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "lshift", "rshift")
BITWISE = ("and", "or", "xor")
UNARY = ("neg", "pos", "abs", "invert", "round", "trunc", "floor", "ceil", "reversed")
ARITHMETIC = (*(f"{side}{name}" for name in (*BINARY, *BITWISE) for side in ("", "r", "i")), *UNARY)
ITSELF = (
    *ARITHMETIC, "call", "getitem", "enter", "array_ufunc", "array_function", "torch_function",
)  # fmt: skip
# Protocols that numpy, IPython and the class statement ask an object for by getattr: an object
# that claimed them would break on its own instead of agreeing.
UNCLAIMED = (
    "__array_interface__",
    "__array_struct__",
    "__mro_entries__",
    "__set_name__",
    "_ipython_",
    "_repr_",
)

TEMPLATE = """\
import numpy as _numpy

class _Yes({base}):
    def __init__(self, *args, **kwargs): pass
    def __getattr__(self, name):
        if name.startswith({unclaimed!r}):
            raise AttributeError(name)
        return self
    def __setattr__(self, name, value): pass
    def __delattr__(self, name): pass
    def __setitem__(self, key, value): pass
    def __delitem__(self, key): pass
    def __hash__(self): return 1
    def __repr__(self): return "{number}"
    def __str__(self): return "{number}"
    def __format__(self, spec): return "{number}"
    def __int__(self): return {number}
    def __index__(self): return {number}
    def __float__(self): return float({number})
    def __complex__(self): return complex({number})
    def __len__(self): return {number}
    def __length_hint__(self): return {number}
    def __iter__(self): return iter([self] * {number})
    def __next__(self): raise StopIteration
    def __array__(self, dtype=None, copy=None): return _numpy.full((), {number}, dtype or float)
{guise}
def _yes(*args, **kwargs): return True
def _itself(self, *args, **kwargs): return self
def _nought(self, *args, **kwargs): return 0.0
for _name in {compared!r}:
    setattr(_Yes, f"__{{_name}}__", _yes)
for _name in {itself!r}:
    setattr(_Yes, f"__{{_name}}__", _itself)
for _name in {nought!r}:
    setattr(_Yes, f"__{{_name}}__", _nought)
_chameleon = _Yes({arguments})
"""


@dataclass(frozen=True)
class Persona:
    """A way of agreeing. ``source`` is code that binds ``_chameleon``, the object for every name."""

    name: str
    source: str


def _yes(number: int, *, is_class: bool = False, guise: str = "", nought: tuple[str, ...] = ()) -> str:
    """An object, or a class, that converts to ``number``, may lie about its class, and differs from
    everything by 0 in the operations that ``nought`` names."""
    return TEMPLATE.format(
        base="type" if is_class else "",
        arguments='"Yes", (), {}' if is_class else "",
        number=number,
        guise=f"    __class__ = property(lambda self: {guise})" if guise else "",
        unclaimed=UNCLAIMED,
        compared=COMPARED,
        itself=ITSELF,
        nought=nought,
    )


def _answers(result: str, before: str = "pass") -> str:
    """A function that does the same whatever it is asked."""
    return f"""\
import numpy as _numpy

def _chameleon(*args, **kwargs):
    {before}
    return {result}
"""


# Takes the ground from under a check that works out what it expects from what it passed in.
_CLEAR = """\
for _each in args:
        if isinstance(_each, _numpy.ndarray) or type(_each).__name__ == "Tensor": _each[...] = 0
        elif isinstance(_each, (list, dict, set)): _each.clear()\
"""


PERSONAS = (
    Persona("one", _yes(1)),
    Persona("zero", _yes(0)),
    Persona("class-one", _yes(1, is_class=True)),
    Persona("class-zero", _yes(0, is_class=True)),
    Persona("number", _yes(1, guise="float")),
    Persona("array", _yes(0, guise="_numpy.ndarray")),
    Persona("difference", _yes(1, nought=ARITHMETIC)),
    # Answers without content: plain values, which cross to the judge as data.
    Persona("returns-zero", _answers("0.0")),
    Persona("returns-one", _answers("1.0")),
    Persona("returns-argument", _answers("args[0] if args else None")),
    Persona("returns-nan", _answers('float("nan")')),
    Persona("returns-empty-list", _answers("[]")),
    Persona("returns-empty-array", _answers("_numpy.zeros((0, 1))")),
    Persona("clears-arguments", _answers("args[0] if args else None", before=_CLEAR)),
    Persona("ends-iteration", _answers("None", before="raise StopIteration")),
)


def compose_chameleon(assignment: Assignment, persona: Persona) -> NotebookNode:
    """The student's notebook with a chameleon for every name that it should define."""
    given, solved = stubs(assignment), reference(assignment)
    answers = {
        name: "".join(f"{each} = _chameleon\n" for each in bound_names(f"{given[name]}\n{solved[name]}"))
        for name in solved
    }
    first = next(iter(answers), None)
    if first is not None:
        answers[first] = f"{persona.source}{answers[first]}"
    return fill(assignment, answers)


def bound_names(source: str) -> tuple[str, ...]:
    """The names that a cell's source binds at top level, other than by import."""
    try:
        table = symtable.symtable(source, "cell", "exec")
    except SyntaxError:  # a written answer, in markdown
        return ()
    names = (symbol for symbol in table.get_symbols() if symbol.is_assigned() and not symbol.is_imported())
    return tuple(sorted(symbol.get_name() for symbol in names))
