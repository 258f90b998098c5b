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

import contextlib
import ctypes
import gc
import operator
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, TypeVar, cast

Result = TypeVar("Result")
MEGABYTES = 32  # of new arenas
MOST_MEGABYTES = 256  # of holes: who has left more runs as the holes are
SMALL = 512  # bytes of the largest small object
BYTES_HEADER = 33  # what a bytes object has beside its data
POOL_HEADER = 48
DEEPEST = 31
FREED_FLOATS = 100  # which Python keeps to use again, and which were made who knows where
DISPLACED = (48, 64, 80, 96, 112, 128)  # bytes; beside a float's 32
HUGE_PAGE = 2 << 20
MADV_COLLAPSE = 25
SIZE_CLASS = re.compile(rb"^ +\d+ +(\d+) +\d+ +\d+ +(\d+)$", re.MULTILINE)
UNUSED_POOLS = re.compile(rb"^(\d+) unused pools \* (\d+) bytes", re.MULTILINE)


class Settled:
    """Fills the holes, and takes new arenas; frozen, so that collections don't walk what was there before."""

    def __init__(self) -> None:
        gc.collect()  # empties the lists of freed floats, tuples, … too
        gc.freeze()
        self.random = Random()  # noqa: S311 -- moves memory about, and keeps nothing secret
        places: list[tuple[int, int]] = []
        with contextlib.suppress(OSError):  # a program may have closed its stderr
            places = holes()
        self.held = [*filling(places), *small_memory(MEGABYTES)]

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


def holes() -> list[tuple[int, int]]:
    """(bytes, free places for objects of that many bytes); unused pools as places for the largest."""
    said = allocator_statistics()
    places = [(int(size), int(free)) for size, free in SIZE_CLASS.findall(said)]
    for pools, size in UNUSED_POOLS.findall(said):
        places.append((SMALL, int(pools) * ((int(size) - POOL_HEADER) // SMALL)))
    return places


def filling(places: list[tuple[int, int]]) -> Iterator[object]:
    """Objects for all the places, those of the same size together, up to MOST_MEGABYTES."""
    left = MOST_MEGABYTES << 20
    for size, free in places:
        count = min(free, left // size)
        left -= count * size
        yield [small_object(size) for _ in range(count)]


def small_object(size: int) -> object:
    """A new object that takes ``size`` bytes, a multiple of 16, of the allocator's."""
    if size <= 16:
        return object()
    return float(size) if size <= 32 else bytes(size - BYTES_HEADER)


def allocator_statistics() -> bytes:
    """What CPython prints of its allocator. It writes to the C library's stderr, where it is caught."""
    file, before = os.memfd_create("allocator"), os.dup(2)
    try:
        os.dup2(file, 2)
        sys._debugmallocstats()
    finally:
        os.dup2(before, 2)
        os.close(before)
    with os.fdopen(file, "rb") as written:
        written.seek(0)
        return written.read()


def small_memory(megabytes: int) -> list[bytes]:
    """While what it returns lives, the allocator owns so many megabytes of arenas, with one object in each
    128 kB of them."""
    blocks = [bytes(SMALL - BYTES_HEADER) for _ in range((megabytes << 20) // SMALL)]
    kept = blocks[::256]
    join_pages(list(map(id, kept)))
    return kept


def join_pages(addresses: list[int] | None = None) -> None:
    """Has the kernel (Linux 6.1 on) join the small pages of the heap, and of memory with one of ``addresses``
    in it. Where none are given, of all memory of this process's own, and what is free is given back before.

    Which of a process's small pages share a place in the cache is luck that lasts as long as it does. And a
    fork copies an entry a page.
    """
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    if addresses is None:
        libc.malloc_trim(0)
    for begin, end, name in own_memory():
        if addresses is None or name == "[heap]" or any(begin <= each < end for each in addresses):
            for page in range(-(-begin // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE, HUGE_PAGE):
                libc.madvise(page, HUGE_PAGE, MADV_COLLAPSE)


def own_memory() -> Iterator[tuple[int, int, str]]:
    """(begin, end, name) of this process's writable memory that is no file's; a stack has a name too."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, access, _, _, file, *name = line.split()
        if file == "0" and access == "rw-p" and name in ([], ["[heap]"]):
            begin, end = (int(part, 16) for part in place.split("-"))
            yield begin, end, "".join(name)
