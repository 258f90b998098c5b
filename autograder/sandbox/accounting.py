"""A box's processes as /proc shows them: what they use where no control group counts it, and which is which.

Contract: lower bounds. A process that came and went between two looks is counted only through the
parent that waited for it. Numbers are the kernel's; a program can't change its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.ending import BoxUsage

_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_FIELDS = slice(11, 15)  # utime stime cutime cstime, counted after the command's name


@dataclass(frozen=True)
class Sample:
    """CPU seconds of all processes and their waited children; the sum of their peak resident sizes."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    def merged(self, other: Sample) -> Sample:
        return Sample(max(self.cpu_seconds, other.cpu_seconds), max(self.peak_bytes, other.peak_bytes))

    def usage(self) -> BoxUsage:
        return BoxUsage(self.cpu_seconds, self.peak_bytes, oom_kills=0, refused_forks=0)


def sample(first: int) -> Sample:
    """Everything at and below the box's first process, as it is now."""
    cpu, peak = 0.0, 0
    for pid in descendants(first):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            cpu += sum(map(int, _stat(pid)[_CPU_FIELDS])) / _TICKS
        peak += memory_of(pid, "VmHWM")
    return Sample(cpu, peak)


def signal_children(parent: int, number: int, most: int | None = None) -> None:
    """Signal the first children of a process; a box's init has its program for the first.

    The descriptor holds each fast and its parent is asked after that, so a number that has come to mean
    another process is not signalled.
    """
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        children = Path("/proc", str(parent), "task", str(parent), "children").read_text().split()
        for child in map(int, children[:most]):
            descriptor = os.pidfd_open(child)
            try:
                if parent_of(child) == parent:
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)


def parent_of(pid: int) -> int:
    """Raises FileNotFoundError or ProcessLookupError where there is no such process."""
    return int(_stat(pid)[1])


def state_of(pid: int, thread: int | None = None) -> str:
    """The letter that /proc gives a process, or one of its threads: S for asleep. Raises as `parent_of`."""
    return _stat(pid, thread)[0]


def _stat(pid: int, thread: int | None = None) -> list[str]:
    folder = f"/proc/{pid}" if thread is None else f"/proc/{pid}/task/{thread}"
    # A program chooses its name, brackets included; the numbers stand after the last of them.
    return Path(folder, "stat").read_text().rpartition(")")[2].split()


def descendants(first: int) -> Iterator[int]:
    """The process and all below it, as they are while they are asked for."""
    waiting = [first]
    while waiting:
        pid = waiting.pop()
        yield pid
        for thread in threads_of(pid):
            try:
                waiting += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                continue


def threads_of(pid: int) -> list[int]:
    """None where the process is gone, which it may be at any moment."""
    try:
        return list(map(int, os.listdir(f"/proc/{pid}/task")))  # noqa: PTH208 -- a race's turns wait for it
    except (FileNotFoundError, ProcessLookupError):
        return []


def memory_of(pid: int, name: str) -> int:
    """Bytes of one line of a process's status: VmRSS, resident now, or VmHWM, the most so far. 0 where it
    is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) << 10
    return 0
