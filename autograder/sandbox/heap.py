"""Where small objects lie in a race's box: not as chance would have it for as long as the box lives.

Contract: while a ``Settled`` lives, small objects are made where nothing lay before, one after the other, in
memory that stays with the process; its ``turn`` moves the places of the next ones, and those of the next
frames, Python's and the C stack's, by a random distance. Runs inside the box; a program that undoes it harms
itself.

Theory of operation. Python's allocator (CPython, Objects/obmalloc.c) serves objects of up to 512 bytes from
pools of one size each, the pools from arenas of 256 kB or 1 MB. It fills the holes that freed objects left
first, and gives arenas that became empty back to the kernel. So the same loop ran up to some hundredths
faster or slower by what the notebook's other cells had done, and 1.8 times as long where it emptied an arena
each time. So all holes are filled, and new arenas are kept from being given back.

A loop is slower, by a hundredth or by a half, where two of the few things that it uses all the time (a sum,
an iterator, a frame, the interpreter's own stack) lie at the same place within a page: the processor takes
the one for the other. One process in twenty had that bad luck in a loop over floats, for good, and no number
of turns tells it from a slower program. Moved each turn, it is noise of single turns, and all processes with
the same program are alike: between boxes a ratio varied by 2.5 % before, and by less than 0.1 % since.
"""

from __future__ import annotations

import gc
import operator
import sys
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar, cast

from autograder.sandbox.pages import BYTES_HEADER, SMALL, filled_holes, join_pages

Result = TypeVar("Result")
MEGABYTES = 32  # of new arenas
DEEPEST = 31
FREED_FLOATS = 100  # which Python keeps to use again, and which were made who knows where
DISPLACED = (48, 64, 80, 96, 112, 128)  # bytes; beside a float's 32


class Settled:
    """Fills the holes, and takes new arenas; frozen, so that collections don't walk what was there before."""

    def __init__(self) -> None:
        gc.collect()  # empties the lists of freed floats, tuples, … too
        gc.freeze()
        self.random = Random()  # noqa: S311 -- moves memory about, and keeps nothing secret
        self.held = [*filled_holes(), *small_memory(MEGABYTES)]

    def turn(self, call: Callable[[], Result]) -> Result:
        """What ``call`` returns, with its objects and frames moved. It may recurse as deep as it always may,
        and some frames deeper."""
        held = displaced(self.random)
        depth = self.random.randint(0, DEEPEST)
        usual = sys.getrecursionlimit()
        raised = usual + 2 * (depth + 1)  # a step down counts once or twice, as Python runs it
        sys.setrecursionlimit(raised)
        try:
            return cast("Result", at_depth(depth, call))
        finally:
            del held
            if sys.getrecursionlimit() == raised:  # unless the program has set one of its own
                sys.setrecursionlimit(usual)


def displaced(random: Random) -> list[object]:
    """Takes the next places for objects of up to 128 bytes, a random number of each size: up to a page of
    them. To be let go of when the turn is over."""
    counts = ((size, random.getrandbits(6)) for size in DISPLACED)
    others = [[bytes(size - BYTES_HEADER) for _ in range(count)] for size, count in counts]
    return [[float(n) for n in range(FREED_FLOATS + random.getrandbits(7))], others]


def at_depth(depth: int, call: Callable[[], Any]) -> Any:
    """What ``call`` returns, from so many frames further down. Through a function in C, so that the C stack
    grows too."""
    return operator.call(at_depth, depth - 1, call) if depth else call()


def small_memory(megabytes: int) -> list[bytes]:
    """While what it returns lives, the allocator owns so many megabytes of arenas, with one object in each
    128 kB of them."""
    blocks = [bytes(SMALL - BYTES_HEADER) for _ in range((megabytes << 20) // SMALL)]
    kept = blocks[::256]
    join_pages(list(map(id, kept)))
    return kept
