"""Which cores race, and which are for all other work.

Contract: read from the mask of the calling thread (so taskset, a container's cpuset and a batch system's
allocation count) and from what the kernel says of hardware threads. Of four physical cores the last
is a lane; a host always has one. A lane and the threads that share its physical core are left alone by
correctness work where anything else is there for it. Two programs with different masks on one host
choose for themselves: they agree on who races (see ``lane``), not on who keeps still.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CORES_A_LANE = 4
SYSTEM = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Cores:
    """The cores of a mask. ``threads`` are all hardware threads of each one's physical core, itself
    among them, whether in the mask or not."""

    mask: frozenset[int]
    threads: Mapping[int, frozenset[int]]

    @classmethod
    def here(cls, system: Path = SYSTEM) -> Cores:
        """Those of the calling thread."""
        mask = frozenset(os.sched_getaffinity(0))
        return cls(mask, {core: threads_of(core, system) for core in mask})

    @property
    def lanes(self) -> tuple[int, ...]:
        """A thread of each physical core that is a lane, the highest first."""
        physical = sorted({max(self.threads[core] & self.mask) for core in self.mask}, reverse=True)
        return tuple(physical[: max(1, len(physical) // CORES_A_LANE)])

    @property
    def work(self) -> frozenset[int]:
        """The cores for correctness work: all where the lanes would leave none."""
        lanes = frozenset[int]().union(*(self.threads[core] for core in self.lanes))
        return (self.mask - lanes) or self.mask

    def place(self, core: int) -> int:
        """The same number for all threads of a physical core, whatever the mask."""
        return min(self.threads[core])


def threads_of(core: int, system: Path = SYSTEM) -> frozenset[int]:
    """The hardware threads of a physical core; ``core`` alone where the kernel doesn't say."""
    try:
        text = (system / f"cpu{core}/topology/thread_siblings_list").read_text()
        return listed(text) | {core}
    except (OSError, ValueError):
        return frozenset((core,))


def listed(text: str) -> frozenset[int]:
    """The kernel's way to write a set of cores, as in ``0-3,8``. Raises ValueError."""
    spans = [part.partition("-") for part in text.strip().split(",") if part]
    return frozenset(core for low, _, high in spans for core in range(int(low), int(high or low) + 1))


def spelt(cores: Iterable[int]) -> str:
    """The kernel's way to write a set of cores; the other way round than ``listed``."""
    spans: list[list[int]] = []
    for core in sorted(cores):
        if spans and spans[-1][-1] == core - 1:
            spans[-1][1:] = [core]
        else:
            spans.append([core])
    return ",".join("-".join(map(str, span)) for span in spans)


def work_cores() -> tuple[int, ...]:
    """The cores that this thread's correctness work should keep to."""
    return tuple(sorted(Cores.here().work))


@contextlib.contextmanager
def beside_the_lanes() -> Iterator[None]:
    """Keeps the calling thread, and the processes that it starts, off the lanes while inside.

    It is the thread's mask that shrinks, and not a box's: a box without cores of its own may still choose
    among those it may use, as students' code does. The mask is only a default, which such a
    program can widen; the race's own boxes come onto their lane that way. What the thread started keeps its
    mask when the thread's own comes back. Not to be entered again inside.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, Cores.here().work)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
