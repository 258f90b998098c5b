"""Where a process's memory lies, so that those forked from it, and races in it, find it as they need it.

Theory of operation. A fork copies an entry for each page of its parent's, so there should be few: large ones.
And when one of the two first writes to a page, the kernel copies it. So what a forked process writes should
lie together: Python's collector is told to let alone what was there before (it writes to each object that it
walks), and the holes that freed memory left are taken, since the allocators serve a request from those first,
each in another page. The first hundred steps of a training loop on torch copied 350 pages for holes of the C
library's, and each page is some 4 µs.

The code of libraries is files' memory, which a fork doesn't copy: a forked process asks for it anew, 16 pages
at a time, and gives each back when it ends. Code that was used is moved to large pages of this process's own,
in the same place, which a fork gets with one entry each: 400 requests fewer for a few steps of training.

Contract: for a process with one thread, on Linux, CPython's allocator and the GNU C library's. Where a kernel
or a library can't, memory stays as it is.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import mmap
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

REHEARSALS = 20  # of what is to run in forks: by then Python has rewritten the code that it will rewrite
HUGE_PAGE = 2 << 20
MADV_COLLAPSE = 25
MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2
NO_PLACE = ctypes.c_void_p(-1).value  # MAP_FAILED
USED_PAGES = 32  # small ones of a large one's, from which on it is worth its memory
# Of an entry of /proc/self/pagemap: that the page is there, or on disk, and that it's a file's.
ENTRY, THERE, SWAPPED, OF_FILE = 8, 1 << 63, 1 << 62, 1 << 61
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
_PLACE, _SIZE, _NUMBER = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_LIBC = ctypes.CDLL(None)
_LIBC.mmap.restype = _LIBC.mremap.restype = _PLACE
_LIBC.mmap.argtypes = (_PLACE, _SIZE, _NUMBER, _NUMBER, _NUMBER, ctypes.c_long)
_LIBC.mremap.argtypes = (_PLACE, _SIZE, _SIZE, _NUMBER, _PLACE)
_LIBC.munmap.argtypes = (_PLACE, _SIZE)
_LIBC.madvise.argtypes = _LIBC.mprotect.argtypes = (_PLACE, _SIZE, _NUMBER)


class _Memory(ctypes.Structure):
    """``struct mallinfo2`` of the GNU C library (2.33 on)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    )


def settle_for_forks() -> None:
    """What is here stays, as processes forked from this one will have it. To be called when all is loaded:
    each time it takes up to a megabyte for good, and a large page for each one of libraries' code that was
    used (since `watch_code`)."""
    gc.collect()
    _taken.extend(filled_holes())
    gc.freeze()
    with contextlib.suppress(AttributeError):  # another C library
        fill_c_holes()
    join_pages()
    with contextlib.suppress(OSError):  # a kernel that doesn't say, or a process that may not ask
        join_code()


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
    for begin, end, name in own_memory():
        if addresses is None or name == "[heap]" or any(begin <= each < end for each in addresses):
            for page in large_pages(begin, end):
                _LIBC.madvise(page, HUGE_PAGE, MADV_COLLAPSE)


def own_memory() -> Iterator[tuple[int, int, str]]:
    """(begin, end, name) of this process's writable memory that is no file's; a stack has a name too."""
    for begin, end, file, name in memory("rw-p"):
        if file == "0" and name in ("", "[heap]"):
            yield begin, end, name


def memory(access: str) -> Iterator[tuple[int, int, str, str]]:
    """(begin, end, its file's number or "0", name) of this process's memory with that access."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, allowed, _, _, file, *name = line.split()
        if allowed == access:
            begin, end = (int(part, 16) for part in place.split("-"))
            yield begin, end, file, " ".join(name)


def watch_code() -> None:
    """From now on, which code is used can be seen: of what was used before nothing is in this process's
    memory any more. It comes back from its file."""
    with contextlib.suppress(OSError):
        for page, entries in code_pages():
            if all(entry & OF_FILE for entry in entries if entry & (THERE | SWAPPED)):
                _LIBC.madvise(page, HUGE_PAGE, mmap.MADV_DONTNEED)


def join_code() -> int:
    """Moves code that was used into large pages, and returns how many these are. Raises OSError."""
    used = [page for page, entries in code_pages() if sum(entry >= THERE for entry in entries) >= USED_PAGES]
    for moved, page in enumerate(used):
        if not move_code(page):
            return moved
    return len(used)


def move_code(page: int) -> bool:
    """A large page of this process's own, with the same in it, in the place of files' small ones; whether the
    kernel had one. Nobody sees a moment without: the one takes the other's place in one call."""
    access, kind = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    room: int = _LIBC.mmap(None, 2 * HUGE_PAGE, access, kind, -1, 0)
    if room == NO_PLACE:
        return False
    own = -(-room // HUGE_PAGE) * HUGE_PAGE
    # What is beside it goes first: once it's moved, others' memory may come to lie where it was.
    for begin, end in ((room, own), (own + HUGE_PAGE, room + 2 * HUGE_PAGE)):
        if begin < end:
            _LIBC.munmap(begin, end - begin)
    _LIBC.madvise(own, HUGE_PAGE, mmap.MADV_HUGEPAGE)
    ctypes.memmove(own, page, HUGE_PAGE)
    if (
        _LIBC.madvise(own, HUGE_PAGE, MADV_COLLAPSE) == 0
        and _LIBC.mprotect(own, HUGE_PAGE, mmap.PROT_READ | mmap.PROT_EXEC) == 0
        and _LIBC.mremap(own, HUGE_PAGE, HUGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page
    ):
        return True
    _LIBC.munmap(own, HUGE_PAGE)
    return False


def code_pages() -> Iterator[tuple[int, memoryview]]:
    """(address, the kernel's entries of its small pages) of each large page that has nothing but a file's
    code. Raises OSError."""
    with Path("/proc/self/pagemap").open("rb", buffering=0) as entries:
        for begin, end, file, _ in memory("r-xp"):
            for page in large_pages(begin, end) if file != "0" else ():
                entries.seek(page // mmap.PAGESIZE * ENTRY)
                yield page, memoryview(entries.read(HUGE_PAGE // mmap.PAGESIZE * ENTRY)).cast("Q")


def large_pages(begin: int, end: int) -> range:
    """The addresses of the large pages that lie between two addresses."""
    return range(-(-begin // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE, HUGE_PAGE)
