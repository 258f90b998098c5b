"""What checks run: their text, compiled once for all notebooks of an assignment.

Contract: the judge process is handed the checks of the notebooks that come next, and forgets those of others;
its children begin with what it knows. A check that doesn't compile says so where it runs.
"""

from __future__ import annotations

import ast
import contextlib
import functools
from collections.abc import Iterable
from types import CodeType

import msgpack

from autograder.judge.plan import CheckStep, parsed


def filename_of(check: str) -> str:
    """What Python calls the check's source."""
    return f"<check {check}>"


@functools.lru_cache(maxsize=256)
def compiled(source: str, filename: str) -> tuple[CodeType, CodeType | None]:
    """The program, and its last expression, whose value a notebook would show, unless a semicolon follows.

    Raises what ``compile`` does.
    """
    module = ast.parse(source, filename)
    last = None
    quiet = source.rstrip().endswith(";")
    if module.body and isinstance(module.body[-1], ast.Expr) and not quiet:
        last = compile(ast.Expression(module.body.pop().value), filename, "eval")  # type: ignore[attr-defined]
    return compile(module, filename, "exec"), last


def packed_checks(steps: Iterable[CheckStep]) -> bytes:
    """The checks as `learn` takes them, both as they are and as students have them."""
    texts = ((filename_of(step.check), {step.source, step.visible_source()}) for step in steps)
    return bytes(msgpack.packb([[source, name] for name, sources in texts for source in sources]))


def learn(packed: bytes) -> None:
    """Compiles these checks, and forgets others."""
    compiled.cache_clear()
    parsed.cache_clear()
    for source, filename in msgpack.unpackb(packed):
        parsed(source)
        with contextlib.suppress(Exception):  # whatever is wrong with it, its check tells
            compiled(source, filename)
