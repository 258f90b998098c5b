"""What the judge costs: a call of the student's function, and 8 MB of array there and back.

Run: ``.venv/bin/python -m benchmarks.judge_calls``. Both boxes are the real ones. Each figure is the
median of rounds that alternate with a bare echo between two processes over the same kind of
socket, and is printed with its ratio to that echo, so that a busy machine shows. Targets: a
call under 100 µs, 8 MB under 100 ms.
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import Callable

from nbformat.v4 import new_code_cell, new_notebook

from autograder.judge import Court, Settings, plan_notebook

ROUNDS = 7
STUDENT = "def same(x):\n    return x\n\ndef bump(x):\n    return x + 1"
CHECK = """
import time
import numpy as np
array = np.random.default_rng(0).standard_normal((1000, 1000))
def once(f, x, n):
    begin = time.perf_counter()
    for _ in range(n):
        f(x)
    return (time.perf_counter() - begin) / n
once(same, 1, 100)
award(0, "TIMES")
"""
CALLS, ARRAYS = 2000, 5


def timed_check(call: str, count: int) -> str:
    """A check that reports seconds a call through its points: a whole number of nanoseconds."""
    return CHECK.replace('award(0, "TIMES")', f"award(float(int(1e9 * once({call}, {count}))))")


def seconds(court: Court, call: str, count: int) -> float:
    grade = {
        "grade": True,
        "solution": False,
        "locked": True,
        "points": 1e18,
        "grade_id": "time",
        "schema_version": 3,
    }
    notebook = new_notebook(cells=[
        new_code_cell(STUDENT),
        new_code_cell(timed_check(call, count), metadata={"nbgrader": grade}),
    ])  # fmt: skip
    result = court.judge(plan_notebook(notebook, notebook), Settings(), b"bench", open_pass=False)
    if not result.points:
        raise SystemExit(f"the check failed: {result.checks[0].message}")
    return result.points / 1e9


def echo(there: socket.socket, size: int) -> None:
    while data := there.recv(size, socket.MSG_WAITALL):
        there.sendall(data)


def echo_seconds(size: int, count: int) -> float:
    """Seconds for ``size`` bytes there and back between two processes."""
    ours, theirs = socket.socketpair()
    process = multiprocessing.get_context("fork").Process(target=echo, args=(theirs, size), daemon=True)
    process.start()
    theirs.close()
    data = bytes(size)
    begin = time.perf_counter()
    for _ in range(count):
        ours.sendall(data)
        got = 0
        while got < size:
            got += len(ours.recv(min(size - got, 1 << 20)))
    elapsed = (time.perf_counter() - begin) / count
    ours.close()
    process.terminate()
    process.join()
    return elapsed


def report(
    name: str, measured: list[float], bare: list[float], unit: float, word: str, target: float
) -> bool:
    middle, base = statistics.median(measured), statistics.median(bare)
    spread = (max(measured) - min(measured)) / middle
    state = "ok" if middle <= target else "TOO SLOW"
    noisy = " (unstable: spread over 50 %)" if spread > 0.5 else ""
    print(
        f"{name:24} {middle / unit:8.1f} {word}   {middle / base:6.1f} × bare echo"
        f"   target {target / unit:.0f} {word}: {state}{noisy}"
    )
    return middle <= target


def alternate(first: Callable[[], float], second: Callable[[], float]) -> tuple[list[float], list[float]]:
    pairs = [(first(), second()) for _ in range(ROUNDS)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def main() -> int:
    with Court() as court:
        call = alternate(lambda: seconds(court, "same, 1", CALLS), lambda: echo_seconds(40, CALLS))
        array = alternate(
            lambda: seconds(court, "bump, array", ARRAYS), lambda: echo_seconds(8_000_000, ARRAYS)
        )
    good = [
        report("call of a function", *call, 1e-6, "µs", 100e-6),
        report("8 MB there and back", *array, 1e-3, "ms", 100e-3),
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
