"""Memory that the judge and one box share: arrays reach a timed call, and come back, without a copy.

Contract: an arena is a file in memory of a size that neither side can change, mapped by both. The judge
writes inputs into its first half while everything in the box is stopped, and reads outputs from its second
half once it is stopped again. Offsets are those of a frame's tail (see ``wire``), aligned for any array.

Trust: the box may write all of it. The judge reads only outputs, copies what it reads, and reads nothing
while the box can write.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import Any

import numpy as np

from autograder.sandbox.wire import Decoder, NotPlain, Tail, field, numeric_dtype, shape_of, torch_dtype

HALF = 128 << 20  # the pages of a memory file exist once they are written
ALIGNMENT = 64
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def arena_file() -> int:
    """A descriptor of a new arena, the caller's to close."""
    descriptor = os.memfd_create("mlsys-arena", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, 2 * HALF)
        # A mapping of a file that the other side cut short ends its reader with SIGBUS.
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class Arena:
    """One side's mapping; the descriptor stays the caller's."""

    def __init__(self, descriptor: int) -> None:
        whole = memoryview(mmap.mmap(descriptor, 2 * HALF))
        self.inputs = whole[:HALF]
        self.outputs = whole[HALF:]


class ArenaTail(Tail):
    """A tail that lies in an arena: what is added is copied there."""

    def __init__(self, room: memoryview) -> None:
        super().__init__()
        self.room = room

    def add(self, raw: memoryview) -> int:
        offset = -(-self.size // ALIGNMENT) * ALIGNMENT
        if offset + raw.nbytes > len(self.room):
            raise NotPlain(f"arrays of {offset + raw.nbytes} bytes in a timed call (at most {HALF})")
        self.room[offset : offset + raw.nbytes] = raw
        self.size = offset + raw.nbytes
        return offset


class ArenaDecoder(Decoder):
    """Builds arrays and tensors that lie in the arena itself, and are written there."""

    def bulk(self, e: list[Any]) -> Any:
        if e[0] == "a":
            dtype = numeric_dtype(e)
            shape = shape_of(e, dtype.itemsize)
            return np.ndarray(shape, dtype, self.tail, field(e, 3, int))
        return self._tensor(e)

    def _tensor(self, e: list[Any]) -> Any:
        import torch  # only a side that uses tensors pays for it

        dtype = torch_dtype(field(e, 1, str))
        shape = shape_of(e, dtype.itemsize)
        count = int(np.prod(shape, dtype=np.int64))
        if not count:
            return torch.empty(shape, dtype=dtype)
        return torch.frombuffer(self.tail, dtype=dtype, count=count, offset=field(e, 3, int)).reshape(shape)
