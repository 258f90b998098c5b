"""Whose doing an ending was, from every kind of evidence."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from autograder.sandbox.ending import BoxUsage, Cause, Evidence, Side, conclude

LIMIT = 100 << 20
CALM = BoxUsage(cpu_seconds=0.1, peak_bytes=1 << 20, oom_kills=0, refused_forks=0)
EXITED = Evidence(status=0, killed=False, usage=CALM, cpu_limit=5, memory_limit=LIMIT)
BY_SIGKILL = 128 + signal.SIGKILL
OUT_OF_MEMORY = BoxUsage(cpu_seconds=0.1, peak_bytes=LIMIT, oom_kills=1, refused_forks=0)


@pytest.mark.parametrize(
    ("evidence", "cause", "side"),
    [
        (EXITED, Cause.EXITED, Side.PROGRAM),
        (replace(EXITED, status=3), Cause.EXITED, Side.PROGRAM),
        (replace(EXITED, status=128 + signal.SIGSEGV), Cause.SIGNALLED, Side.PROGRAM),
        (replace(EXITED, status=BY_SIGKILL, usage=OUT_OF_MEMORY), Cause.MEMORY, Side.PROGRAM),
        (replace(EXITED, status=None, usage=OUT_OF_MEMORY), Cause.MEMORY, Side.PROGRAM),
        (replace(EXITED, status=0, usage=OUT_OF_MEMORY), Cause.EXITED, Side.PROGRAM),
        (replace(EXITED, status=128 + signal.SIGXCPU), Cause.CPU, Side.PROGRAM),
        (replace(EXITED, status=BY_SIGKILL, usage=replace(CALM, cpu_seconds=6.0)), Cause.CPU, Side.PROGRAM),
        (replace(EXITED, status=BY_SIGKILL), Cause.SIGNALLED, Side.PROGRAM),
        (replace(EXITED, status=1, usage=replace(CALM, refused_forks=4)), Cause.PROCESSES, Side.PROGRAM),
        (replace(EXITED, status=0, usage=replace(CALM, refused_forks=4)), Cause.EXITED, Side.PROGRAM),
        (replace(EXITED, status=BY_SIGKILL, killed=True), Cause.KILLED_BY_US, Side.PROGRAM),
        (replace(EXITED, status=None), Cause.BOX_FAILED, Side.BOX),
    ],
)
def test_cause_and_side(evidence: Evidence, cause: Cause, side: Side) -> None:
    ending = conclude(evidence)
    assert (ending.cause, ending.side) == (cause, side)


def test_host_that_ran_out_of_memory_is_not_the_programs_doing() -> None:
    half = replace(OUT_OF_MEMORY, peak_bytes=LIMIT // 2)
    ending = conclude(replace(EXITED, status=BY_SIGKILL, usage=half))
    assert ending.side is Side.BOX
    assert "host ran out of memory" in ending.detail


def test_status_is_a_code_or_a_signal_and_never_both() -> None:
    exited, signalled = conclude(replace(EXITED, status=3)), conclude(replace(EXITED, status=128 + 11))
    assert (exited.code, exited.signal) == (3, None)
    assert (signalled.code, signalled.signal) == (None, 11)
