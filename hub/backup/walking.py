"""Reads a tree that others write to: files by open folders, so that no link leads elsewhere.

Contract: plain files only. Links, devices, pipes, sockets and what is too deep are left out and told;
what vanishes meanwhile is left out silently. No path is looked up twice.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_DEPTH = 64
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Skips = Callable[[str], bool]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """An open file or, without ``fd``, a folder. ``name``: its path below the root, with "/".
    ``fd`` is closed when the next one is asked for."""

    name: str
    status: os.stat_result
    fd: int | None


def walk(root: Path, skips: Skips, tell: Tell) -> Iterator[Found]:
    """Folders and files below ``root``, each folder before what is in it.

    ``skips``: called with each name, whether to leave it out; ``tell``: called with each name that can't
    be read, and why.
    """
    fd = os.open(root, FOLDER)
    try:
        yield from _inside(fd, "", skips, tell, 0)
    finally:
        os.close(fd)


def _inside(folder: int, prefix: str, skips: Skips, tell: Tell, depth: int) -> Iterator[Found]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if not skips(f"{prefix}{entry.name}"))
    missed = []
    for name in names:
        opened = _open(folder, name, prefix, tell, depth)
        if opened is None:
            missed.append(name)
        elif opened >= 0:
            yield from _opened(opened, f"{prefix}{name}", skips, tell, depth)
    for name in missed:  # what was just being replaced is there again
        opened = _open(folder, name, prefix, tell, depth)
        if opened is not None and opened >= 0:
            yield from _opened(opened, f"{prefix}{name}", skips, tell, depth)


def _open(folder: int, name: str, prefix: str, tell: Tell, depth: int) -> int | None:
    """A descriptor of a file or a folder; None where nothing is; -1 for what is left out."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISREG(mode):
            return os.open(name, FILE, dir_fd=folder)
        if stat.S_ISDIR(mode) and depth < MAX_DEPTH:
            return os.open(name, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        tell(f"{prefix}{name}: {error.strerror}")
        return -1
    tell(f"{prefix}{name}: {_kind(mode)}")
    return -1


def _opened(fd: int, path: str, skips: Skips, tell: Tell, depth: int) -> Iterator[Found]:
    """What was opened is looked at again: it may be another than what was seen."""
    try:
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            yield Found(path, status, None)
            yield from _inside(fd, f"{path}/", skips, tell, depth + 1)
        elif stat.S_ISREG(status.st_mode):
            yield Found(path, status, fd)
        else:
            tell(f"{path}: {_kind(status.st_mode)}")
    finally:
        os.close(fd)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFDIR: f"deeper than {MAX_DEPTH} folders",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")
