"""What a box uses where no control group counts it: a look at its processes in /proc.

Contract: lower bounds. A process that came and went between two looks is counted only through the
parent that waited for it. Numbers are the kernel's; a program can't change its own.
"""

from __future__ import annotations

import os
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
    for pid in _descendants(first):
        folder = Path("/proc", str(pid))
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            cpu += sum(map(int, fields[_CPU_FIELDS])) / _TICKS
            peak += _peak(folder)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return Sample(cpu, peak)


def _descendants(first: int) -> Iterator[int]:
    waiting = [first]
    while waiting:
        pid = waiting.pop()
        yield pid
        for children in Path("/proc", str(pid), "task").glob("*/children"):
            try:
                waiting += map(int, children.read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                continue


def _peak(folder: Path) -> int:
    for line in (folder / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0
