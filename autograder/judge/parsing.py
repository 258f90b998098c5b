"""Parses Python where several threads do.

CPython 3.11 counts the depth of a parse for all threads together, so that two at once end in SystemError.
Ours wait for each other here; beside one that isn't ours (a traceback's, say) it is tried again.
"""

from __future__ import annotations

import ast
import contextlib
import threading
import warnings

PARSING = threading.Lock()
TRIES = 5


def parse(source: str, *, strict: bool = False) -> ast.Module:
    """The module. ``strict``: what Python would warn of is a SyntaxError. Raises what ``ast.parse`` does."""
    with PARSING:
        if not strict:
            return _parse(source)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _parse(source)


def _parse(source: str) -> ast.Module:
    for _ in range(TRIES - 1):
        with contextlib.suppress(SystemError):
            return ast.parse(source)
    return ast.parse(source)
