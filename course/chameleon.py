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
ITSELF = (
    *(f"{side}{name}" for name in (*BINARY, *BITWISE) for side in ("", "r", "i")),
    *UNARY, "call", "getitem", "enter", "array_ufunc", "array_function", "torch_function",
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
for _name in {compared!r}:
    setattr(_Yes, f"__{{_name}}__", _yes)
for _name in {itself!r}:
    setattr(_Yes, f"__{{_name}}__", _itself)
_chameleon = _Yes({arguments})
"""


@dataclass(frozen=True)
class Persona:
    """A way of agreeing. ``source`` is code that binds ``_chameleon``, the object for every name."""

    name: str
    source: str


def _yes(number: int, *, is_class: bool = False, guise: str = "") -> str:
    """An object, or a class, that converts to ``number`` and may lie about its class."""
    return TEMPLATE.format(
        base="type" if is_class else "",
        arguments='"Yes", (), {}' if is_class else "",
        number=number,
        guise=f"    __class__ = property(lambda self: {guise})" if guise else "",
        unclaimed=UNCLAIMED,
        compared=COMPARED,
        itself=ITSELF,
    )


PERSONAS = (
    Persona("one", _yes(1)),
    Persona("zero", _yes(0)),
    Persona("class-one", _yes(1, is_class=True)),
    Persona("class-zero", _yes(0, is_class=True)),
    Persona("number", _yes(1, guise="float")),
    Persona("array", _yes(0, guise="_numpy.ndarray")),
    # Answers without content: plain values, which cross to the judge as data.
    Persona("returns-zero", "def _chameleon(*args, **kwargs): return 0.0\n"),
    Persona("returns-one", "def _chameleon(*args, **kwargs): return 1.0\n"),
    Persona("returns-argument", "def _chameleon(*args, **kwargs): return args[0] if args else None\n"),
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
