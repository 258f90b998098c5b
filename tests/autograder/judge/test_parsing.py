"""Python is parsed in several threads at once, also beside threads that don't ask ours."""

from __future__ import annotations

import ast
import contextlib
import gc
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.judge import parse

DEEP = "x = " + "[" * 60 + "]" * 60 + "\n"


@pytest.fixture
def interrupted() -> Iterator[None]:
    """Collections that run Python, in the middle of whatever makes objects, and threads that switch there."""

    def observe(_: str, __: dict[str, int]) -> None:
        sum(range(50))

    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-5)
    gc.set_threshold(50)
    gc.callbacks.append(observe)
    yield
    gc.callbacks.remove(observe)
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("interrupted")
def test_threads_parse_at_the_same_time() -> None:
    """On CPython 3.11 many of these end in SystemError where ours collect garbage or don't wait for each other."""
    done = threading.Event()

    def others() -> None:
        while not done.is_set():
            with contextlib.suppress(SystemError):
                ast.parse(DEEP * 3)

    with ThreadPoolExecutor(4) as pool:
        pool.submit(others)
        try:
            modules = list(pool.map(lambda n: parse(DEEP * (n % 7 + 1)), range(1000)))
        finally:
            done.set()
    assert [len(each.body) for each in modules] == [n % 7 + 1 for n in range(1000)]
    assert gc.isenabled()


def test_strict_refuses_what_python_warns_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert parse("x = '\\d'").body
    with pytest.raises(SyntaxError, match="invalid escape"):
        parse("x = '\\d'", strict=True)
