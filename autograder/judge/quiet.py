"""Whether a cell shows nothing when it runs: it only defines, as cells of an answer do, as a rule.

Contract: it is read from the text alone. What code can make of a definition (a class may run whatever the
classes that it inherits from like) isn't seen here: who relies on it looks at what was shown, too.
"""

from __future__ import annotations

import ast

from autograder.judge.parsing import parse

# An expression of these runs no function of its own.
STILL = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Dict),
    *(ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator, ast.expr_context),
)


def only_defines(text: str) -> bool:
    """Whether a cell consists of functions, classes, imports and plain values with names."""
    try:
        module = parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # a magic, an unfinished cell
    return all(map(is_definition, module.body))


def is_definition(statement: ast.stmt) -> bool:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return all(map(is_still, evaluated(statement))) and all(map(is_mild, statement.decorator_list))
        case ast.ClassDef():
            given = [*statement.bases, *(each.value for each in statement.keywords)]
            mild = all(map(is_still, given)) and all(map(is_mild, statement.decorator_list))
            return mild and all(is_docstring(each) or is_definition(each) for each in statement.body)
        case ast.Assign(value=value):
            return is_still(value)
        case ast.AnnAssign(annotation=kind, value=value):
            return is_still(kind) and (value is None or is_still(value))
        case ast.Import() | ast.ImportFrom() | ast.Pass():
            return True
    return False


def evaluated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """What runs when a function is defined: annotations and defaults."""
    given = function.args
    every = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    annotations = (each.annotation for each in every if each is not None)
    found = (*annotations, function.returns, *given.defaults, *given.kw_defaults)
    return [each for each in found if each is not None]


def is_mild(decorator: ast.expr) -> bool:
    """A decorator by its name, or called with plain values."""
    if isinstance(decorator, ast.Call):
        given = (decorator.func, *decorator.args, *(each.value for each in decorator.keywords))
        return all(map(is_still, given))
    return is_still(decorator)


def is_still(node: ast.expr) -> bool:
    return all(isinstance(each, STILL) for each in ast.walk(node))


def is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
