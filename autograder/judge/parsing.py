"""Parses Python where several threads do.

CPython 3.11 counts the depth of a parse for all threads together, and starts from its own count: who is
interrupted by another's ends in SystemError. Only a garbage collection runs Python inside of one, and so lets
another thread go on. So ours wait for each other, and none is collected in.
"""

from __future__ import annotations

import ast
import threading
import warnings

from autograder.sandbox.collecting import uncollected

PARSING = threading.Lock()


def parse(source: str, *, strict: bool = False) -> ast.Module:
    """The module. ``strict``: what Python would warn of is a SyntaxError. Raises what ``ast.parse`` does."""
    with PARSING, uncollected():
        if not strict:
            return ast.parse(source)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return ast.parse(source)
