"""Where a process's memory lies, so that those forked from it, and races in it, find it as they need it.

Theory of operation. A fork copies an entry for each page of its parent's, so there should be few: large ones.
And when one of the two first writes to a page, the kernel copies it. So what a forked process writes should
lie together: Python's collector is told to let alone what was there before (it writes to each object that it
walks), and the holes that freed memory left are taken, since the allocators serve a request from those first,
each in another page. The first hundred steps of a training loop on torch copied 350 pages for holes of the C
library's, and each page is some 4 µs.

Contract: for Linux, CPython's allocator and the GNU C library's. Where a kernel or a library can't, memory
stays as it is.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

REHEARSALS = 20  # of what is to run in forks: by then Python has rewritten the code that it will rewrite
HUGE_PAGE = 2 << 20
MADV_COLLAPSE = 25
SMALL = 512  # bytes of the largest object that Python's own allocator serves
BYTES_HEADER = 33  # what a bytes object has beside its data
POOL_HEADER = 48
MOST_MEGABYTES = 256  # of Python's holes: who has left more runs as the holes are
SIZE_CLASS = re.compile(rb"^ +\d+ +(\d+) +\d+ +\d+ +(\d+)$", re.MULTILINE)
UNUSED_POOLS = re.compile(rb"^(\d+) unused pools \* (\d+) bytes", re.MULTILINE)
# The C library's holes, in bytes: halves down to what it keeps by size, then each of those sizes.
C_HOLES = (*(1 << power for power in range(16, 10, -1)), *range(1032, 23, -16))
MOST_C_HOLES = 200_000
_taken: list[object] = []  # for as long as the process lives


class _Memory(ctypes.Structure):
    """``struct mallinfo2`` of the GNU C library (2.33 on)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    )


def settle_for_forks() -> None:
    """What is here stays, as processes forked from this one will have it. To be called when all is loaded:
    each time it takes up to a megabyte for good."""
    gc.collect()
    _taken.extend(filled_holes())
    gc.freeze()
    with contextlib.suppress(AttributeError):  # another C library
        fill_c_holes()
    join_pages()


def filled_holes() -> list[object]:
    """Objects in all the places that Python's allocator has free, those of the same size together."""
    places: list[tuple[int, int]] = []
    with contextlib.suppress(OSError):  # a program may have closed its stderr
        places = holes()
    return list(filling(places))


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


def fill_c_holes() -> int:
    """Takes, for good, what is free below the end of the C library's heap; returns how many holes it were.
    Raises AttributeError where there is another C library."""
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _Memory
    libc.malloc.restype = libc.sbrk.restype = ctypes.c_size_t
    libc.malloc.argtypes = libc.free.argtypes = (ctypes.c_size_t,)
    end: int = libc.sbrk(0) - libc.mallinfo2().keepcost  # where what was never used begins
    filled = 0
    for size in C_HOLES:
        while filled < MOST_C_HOLES:
            place: int = libc.malloc(size)
            if not 0 < place < end:
                libc.free(place)
                break
            filled += 1
    return filled


def join_pages(addresses: list[int] | None = None) -> None:
    """Has the kernel (Linux 6.1 on) join the small pages of the heap, and of memory with one of ``addresses``
    in it. Where none are given, of all memory of this process's own.

    Which of a process's small pages share a place in the cache is luck that lasts as long as it does. And a
    fork copies an entry a page.
    """
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
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
