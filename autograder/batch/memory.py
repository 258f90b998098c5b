"""How many submissions fit into this host's memory at once.

Contract: a submission is counted with all that its limits let it use, whatever it does use. One alone is
always let in. Not thread-safe: the batch's own thread asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.batch.jobs import Job

SHARE = 0.8  # the rest is for the platform, and for what others on the host begin meanwhile
UNLIMITED = 1 << 62


class Memory:
    """What is left for submissions."""

    def __init__(self, total: int, needs: Callable[[Job], int]) -> None:
        """``total`` in bytes; ``needs``: what one job may take."""
        self.left = total
        self.needs = needs
        self.inside = 0

    @classmethod
    def of_host(cls, needs: Callable[[Job], int]) -> Memory:
        """What is free now, within this process's control group."""
        return cls(int(SHARE * free_bytes()), needs)

    @classmethod
    def unlimited(cls) -> Memory:
        return cls(UNLIMITED, lambda job: 0)

    def take(self, job: Job) -> bool:
        """Whether there is room for the job, which it then has."""
        need = self.needs(job)
        if self.inside and need > self.left:
            return False
        self.inside += 1
        self.left -= need
        return True

    def give_back(self, job: Job) -> None:
        self.inside -= 1
        self.left += self.needs(job)


def free_bytes(root: Path = Path("/")) -> int:
    """Memory that can be had without swapping: the host's, or what limits on this process leave of it."""
    lines = (root / "proc/meminfo").read_text().splitlines()
    host = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    return min([host, *_left_in_groups(root)])


def _left_in_groups(root: Path) -> Iterator[int]:
    """For each control group from this process's up: its limit less what is used in it."""
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            yield from _left(root / "sys/fs/cgroup", group, "memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            base = root / "sys/fs/cgroup/memory"
            yield from _left(base, group, "memory.limit_in_bytes", "memory.usage_in_bytes")


def _cached(folder: Path) -> int:
    """What is used for files that were read, and given up when it's wanted."""
    lines = [line.split() for line in (folder / "memory.stat").read_text().splitlines()]
    names = ("total_inactive_file", "inactive_file")  # version 1, with the groups below it; version 2
    return max((int(value) for name, value in lines if name in names), default=0)


def _left(base: Path, group: str, limit: str, used: str) -> Iterator[int]:
    folder = base / group.lstrip("/")
    while folder.is_relative_to(base):
        if (folder / limit).is_file() and (folder / used).is_file():
            text = (folder / limit).read_text().strip()
            if text.isdecimal():
                yield max(0, int(text) - int((folder / used).read_text()) + _cached(folder))
        folder = folder.parent
