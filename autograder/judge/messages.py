"""What a student may read about a failed check.

Contract: ``open_message`` is for the open pass, which runs only what the student has: it tells
all. ``closed_message`` is for the closed pass: of a hidden line it shows the author's literal
text and nothing that was computed, so that no value of a hidden check can ride on it.
"""

from __future__ import annotations

import ast
from types import TracebackType

from autograder.judge.link import Refused, StudentError
from autograder.judge.plan import parsed

MAX_WORDS = 4000  # of one message
NOT_SAID = "A hidden test failed."
# The kinds of error that a student hears of from a hidden test. Which of Python's 60 kinds is raised is for
# the student's code to choose, hidden inputs in sight: each more would be a louder voice to tell them with.
TOLD = (
    *(NotImplementedError, RecursionError, UnboundLocalError, NameError, AttributeError, TypeError),
    *(ZeroDivisionError, OverflowError, IndexError, KeyError, ValueError, RuntimeError, AssertionError),
)
FIELD = "…"


def check_line(error: BaseException, filename: str) -> int | None:
    """The innermost line of the check on the error's traceback."""
    line = None
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def open_message(error: BaseException, source: str, filename: str) -> str:
    """The failing line, the error, and the student's own frames if it was raised there."""
    line = check_line(error, filename)
    lines = source.split("\n")
    shown = f"line {line}: {lines[line - 1].strip()}\n" if line and line <= len(lines) else ""
    trace = getattr(error, "trace", "")
    name = type(error).__name__
    text = str(error)
    words = f"{shown}{trace}{name}: {text}" if text else f"{shown}{trace}{name}"
    return words[:MAX_WORDS]


def closed_message(error: BaseException, source: str, filename: str) -> str:
    """The author's literal words for the failing line, or only that it failed."""
    line = check_line(error, filename)
    said = literal_words(source, line) if line else None
    if isinstance(error, Refused):
        return said or "The check needed numbers or arrays, but your code returned another kind of object."
    if isinstance(error, StudentError):
        raised = next((kind.__name__ for kind in TOLD if isinstance(error, kind)), "an error")
        about = f"Your code raised {raised} in a hidden test."
        return f"{said} ({about})" if said else about
    if isinstance(error, NameError) and line and not said:
        return "A name that the check needs isn't defined in your notebook."
    return said or NOT_SAID


def literal_words(source: str, line: int) -> str | None:
    """The literal message of the innermost statement at ``line``: of an assert, a raise, an
    ``err_msg=``/``msg=`` argument or an ``award``. Computed parts become an ellipsis."""
    module = parsed(source)
    if module is None:
        return None
    found: ast.stmt | None = None
    for node in ast.walk(module):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            nearer = found is None or node.lineno >= found.lineno
            found = node if nearer else found
    return statement_words(found) if found is not None else None


def statement_words(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Assert):
        return literal(statement.msg) if statement.msg is not None else call_words(statement)
    if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call) and statement.exc.args:
        return literal(statement.exc.args[0])
    return call_words(statement)


def call_words(statement: ast.stmt) -> str | None:
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in ("err_msg", "msg"):
                    return literal(keyword.value)
    return None


def award_words(source: str, line: int | None) -> str:
    """The literal message of the ``award`` call at ``line``."""
    module = parsed(source)
    if line is None or module is None:
        return ""
    for node in ast.walk(module):
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "award"
        if named and node.lineno <= line <= (node.end_lineno or node.lineno):  # type: ignore[attr-defined]
            words = [*node.args[1:2]] + [k.value for k in node.keywords if k.arg == "message"]  # type: ignore[attr-defined]
            return (literal(words[0]) or "") if words else ""
    return ""


def literal(node: ast.expr) -> str | None:
    """The literal text of an expression, fields of f-strings as an ellipsis; None without any."""
    if isinstance(node, ast.Constant):
        return str(node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(part) or FIELD for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (literal(node.left) or FIELD) + (literal(node.right) or FIELD)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return literal(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return literal(node.func.value)
    return None
