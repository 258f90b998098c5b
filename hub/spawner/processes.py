"""Processes that outlive us, told apart from later ones that got the same number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.accounting import state_of


@dataclass(frozen=True)
class Process:
    """A process by its number and its start, in the kernel's clock ticks since the host started."""

    pid: int
    started: int


def start_time(pid: int) -> int:
    """When a process started. Raises FileNotFoundError or ProcessLookupError where there is none."""
    # The name, in brackets, may hold anything.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def is_running(process: Process) -> bool:
    """Whether it still runs; one that has ended and was not waited for does not."""
    try:
        return start_time(process.pid) == process.started and state_of(process.pid) != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
