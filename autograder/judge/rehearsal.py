"""What the judge process does before it forks judges: it judges a notebook of its own, whose box is a script.

Theory of operation. CPython (3.11 on) rewrites a function's code while it is called for the first times, and
torch and numpy find their way to what they call. In each judge, a fork, that took 2 ms and 300 pages of its
own. The box's answers are there before they are asked for, so one thread plays both sides.

Contract: leaves nothing behind that a check could see, and draws from no generator that one may use.
"""

from __future__ import annotations

import linecache
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from autograder.judge.plan import CheckStep, parsed
from autograder.judge.programs import compiled, filename_of
from autograder.sandbox.pages import REHEARSALS
from autograder.sandbox.wire import Channel, Encoder, Tail

SECONDS = 9.0
FUNCTION = ["r", 1, "function", 1, []]  # as `agent` tells of something that can be called
# Of each check: its text, and what the box's function returns to it, call by call.
PASSES = """\
assert np.allclose(f(rng.normal(size=3)), 1.0)
assert f([1, "a"], x={"b": 2.5}) == [1, (2.5, "a")]
assert abs(f(2) - 1.0) < 0.5
"""
FAILS = "assert f(2) == 5, 'not so'"
TENSORS = "y = f(torch.zeros(2, 3))\nassert torch.allclose(y, torch.ones(2, 3)) and float(y.sum()) == 6.0"


def rehearse(serve: Callable[[socket.socket], None], times: int = REHEARSALS) -> list[str]:
    """``serve`` answers a driver over a socket. Returns the verdicts of the last time."""
    imports = ["import numpy as np"]
    checks: list[tuple[str, list[object]]] = [(PASSES, [np.ones(3), [1, (2.5, "a")], 1]), (FAILS, [1])]
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        imports.append("import torch")
        checks.append((TENSORS, [torch.ones(2, 3)]))
    verdicts: list[str] = []
    for _ in range(times):
        verdicts = _judged(serve, imports, checks)
    for number in range(len(checks)):
        linecache.cache.pop(filename_of(str(number)), None)
    compiled.cache_clear()
    parsed.cache_clear()
    return verdicts


def _judged(
    serve: Callable[[socket.socket], None], imports: list[str], checks: list[tuple[str, list[object]]]
) -> list[str]:
    """The verdicts over one notebook. All that the driver asks is there before ``serve`` begins, and so is
    all that the box answers: a function's name and its results, for each check."""
    with ExitStack() as owner:
        driver, desk = (owner.enter_context(each) for each in socket.socketpair())
        box, seat = (owner.enter_context(each) for each in socket.socketpair())
        asks, answers = Channel(driver), Channel(box)
        asks.send(["open", b"", imports, ["f"], ["f"], [], []])
        asks.send(["attach", "student", SECONDS])
        socket.send_fds(driver, [b"F"], [seat.fileno()])
        asks.send(["cell", "def f(x): ...", 1000, SECONDS, "student", ["f"]])
        for number, (source, _) in enumerate(checks):
            step = CheckStep(number, str(number), "q", source, 1.0, frozenset())
            asks.send(["check", {**vars(step), "hidden": []}, False, SECONDS])
        driver.shutdown(socket.SHUT_WR)
        answers.send([0, "ok", "ready", []])
        answers.send([1, "ok", ["ok", [{"output_type": "stream", "name": "stdout", "text": "x"}]], []])
        returned = (value for _, results in checks for value in (FUNCTION, *results))
        for request, value in enumerate(returned, 2):
            tail = Tail()
            encoded = value if value is FUNCTION else Encoder(lambda x: None, tail).encode(value)
            answers.send([request, "ok", encoded, []], tail)
        serve(desk)
        _open, _attach, _cell, *outcomes = (asks.receive().message for _ in range(3 + len(checks)))
        return [outcome["verdict"] for outcome in outcomes]
