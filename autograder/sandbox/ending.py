"""How a box ended, and whose doing it was, from evidence outside the box only.

Contract: `conclude` is pure. Nothing that the program says is evidence: exit status, the kernel's
counters of the box's group are. A box that doesn't get as far as its program has no ending: opening it
raises.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

_SIGNAL_BASE = 128  # bubblewrap exits with this much more than the signal that ended the program
_OF_THE_LIMIT = 0.9  # a group that its own limit stopped has used all of it, or nearly


class Side(StrEnum):
    """Whose doing an ending was. What is the box's is never graded."""

    PROGRAM = "program"
    BOX = "box"


class Cause(StrEnum):
    EXITED = "exited"
    SIGNALLED = "signalled"
    MEMORY = "memory"
    CPU = "cpu"
    PROCESSES = "processes"
    KILLED_BY_US = "killed by us"
    BOX_FAILED = "box failed"


@dataclass(frozen=True)
class BoxUsage:
    """What everything in a box used. Without a control group the first two are lower bounds, the last two 0.

    ``peak_bytes`` counts what the box had in /tmp and /dev/shm and, in a control group, the files that
    the kernel read for it and kept.
    """

    cpu_seconds: float
    peak_bytes: int
    oom_kills: int
    refused_forks: int


@dataclass(frozen=True)
class Ending:
    """``code`` is the program's exit status, ``signal`` what ended it; ``detail`` is for our own log.

    KILLED_BY_US stands on the program's side: whoever killed it knows for which limit.
    """

    side: Side
    cause: Cause
    code: int | None
    signal: int | None
    detail: str


@dataclass(frozen=True)
class Evidence:
    """``status`` is bubblewrap's report of the program's exit, None where it didn't come to that."""

    status: int | None
    killed: bool
    usage: BoxUsage
    cpu_limit: float
    memory_limit: int


def conclude(evidence: Evidence) -> Ending:
    """The ending that the evidence shows."""
    number = _signal_of(evidence.status)
    code = evidence.status if number is None else None

    def ended(cause: Cause, detail: str = "") -> Ending:
        side = Side.BOX if cause is Cause.BOX_FAILED else Side.PROGRAM
        return Ending(side, cause, code, number, detail)

    if evidence.killed:
        return ended(Cause.KILLED_BY_US)
    if evidence.usage.oom_kills and evidence.status != 0:
        return ended(*_out_of_memory(evidence))
    if evidence.status is None:
        return ended(Cause.BOX_FAILED, "bubblewrap ended before its program did")
    if _out_of_cpu(number, evidence):
        return ended(Cause.CPU)
    if evidence.usage.refused_forks and evidence.status != 0:
        return ended(Cause.PROCESSES)
    return ended(Cause.EXITED if number is None else Cause.SIGNALLED)


def _signal_of(status: int | None) -> int | None:
    """A program that exits with such a number itself reads the same: its own doing either way."""
    if status is None or not _SIGNAL_BASE < status <= _SIGNAL_BASE + signal.NSIG:
        return None
    return status - _SIGNAL_BASE


def _out_of_memory(evidence: Evidence) -> tuple[Cause, str]:
    peak = evidence.usage.peak_bytes
    if peak and peak < evidence.memory_limit * _OF_THE_LIMIT:
        return Cause.BOX_FAILED, f"the host ran out of memory when the box had used {peak >> 20} MB"
    return Cause.MEMORY, ""


def _out_of_cpu(number: int | None, evidence: Evidence) -> bool:
    if number == signal.SIGXCPU:
        return True
    return number == signal.SIGKILL and evidence.usage.cpu_seconds >= evidence.cpu_limit
