"""A seat: a core for a judge and a box, which work by turns.

Contract: inside ``seat`` nobody else of this host sits on the core that it yields; None where all are taken.
It never waits, and a seat is free again when its holder leaves or ends, however it ends.

Theory of operation: a request wakes the box, and its answer the judge. The kernel wakes a process where a
core is idle, so on an idle host the two are on two cores; then a call of a student's function took 120 µs,
and twice the CPU time, where it takes 44 µs on one core (a virtual machine of 2 cores, in which an interrupt
from core to core is dear). So a judge and its box keep to one core while nobody else does. Who finds none
free goes where the kernel sends it. A seat is held like a lane (see `lane`), and never where a race is.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

from autograder.errors import PlatformError
from autograder.speed.cores import Cores
from autograder.speed.lane import is_held, take_name


@contextlib.contextmanager
def seat(cores: Cores | None = None) -> Iterator[int | None]:
    """A core of ``cores`` (those of the calling thread) that nobody sits on, rather none that is a lane."""
    cores = cores or Cores.here()
    with contextlib.ExitStack() as held:
        yield next((core for core in in_order(cores) if taken(core, cores.place(core), held)), None)


def taken(core: int, place: int, owner: contextlib.ExitStack) -> bool:
    """Takes a core's seat, unless another has it or a race goes on there."""
    with contextlib.suppress(PlatformError):  # a seat only saves time
        ours = None if is_held(place) else take_name(f"\0mlsys-seat-{core}")
        if ours is not None:
            owner.callback(ours.close)
            return True
    return False


def in_order(cores: Cores) -> list[int]:
    """At random, the lanes last: containers that share cores don't see each other's seats."""
    work, lanes = list(cores.work), list(cores.mask - cores.work)
    random.shuffle(work)
    return work + lanes


__all__ = ["seat"]
