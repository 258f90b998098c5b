"""Python is parsed in several threads at once, also beside threads that don't ask ours."""

from __future__ import annotations

import ast
import contextlib
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.judge import parse

DEEP = "x = " + "[" * 60 + "]" * 60 + "\n"


def test_threads_parse_at_the_same_time() -> None:
    """Without a lock, and without another try, most of these end in SystemError on CPython 3.11."""
    done = threading.Event()

    def others() -> None:
        while not done.is_set():
            with contextlib.suppress(SystemError):
                ast.parse(DEEP * 3)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            pool.submit(others)
            modules = list(pool.map(lambda n: parse(DEEP * (n % 7 + 1)), range(300)))
            done.set()
    finally:
        done.set()
        sys.setswitchinterval(interval)
    assert [len(each.body) for each in modules] == [n % 7 + 1 for n in range(300)]


def test_strict_refuses_what_python_warns_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert parse("x = '\\d'").body
    with pytest.raises(SyntaxError, match="invalid escape"):
        parse("x = '\\d'", strict=True)
