"""Descriptors of pipes, processes and files in memory, as boxes use them.

Contract: nothing here blocks longer than it is told to, or reads more than a pipe holds.
"""

from __future__ import annotations

import contextlib
import os
import select
from pathlib import Path

_MOST_BYTES = 1 << 16  # a pipe holds no more


def ready(descriptor: int, seconds: float | None) -> bool:
    """Whether the descriptor becomes readable in time, as a process's does at its end."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def drain(descriptor: int) -> bytes:
    """What is in a pipe now, and no more."""
    os.set_blocking(descriptor, False)
    try:
        return os.read(descriptor, _MOST_BYTES)
    except BlockingIOError:
        return b""


def pipe(reads: contextlib.ExitStack, writes: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe, each end closed with its owner's stack."""
    reader, writer = os.pipe()
    reads.callback(os.close, reader)
    writes.callback(os.close, writer)
    return reader, writer


def memory_file(content: bytes, owner: contextlib.ExitStack) -> int:
    """A file in memory, read from its beginning, closed with its owner's stack."""
    descriptor = os.memfd_create("mlsys-box")
    owner.callback(os.close, descriptor)
    fill(descriptor, content)
    return descriptor


def fill(descriptor: int, content: bytes) -> None:
    """Write the content and go back to its beginning."""
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)


def text_of(path: str | Path) -> str:
    """What a small file of the kernel's says. Many are read for each box, and `Path.read_text` takes longer.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _MOST_BYTES).decode()
    finally:
        os.close(descriptor)
