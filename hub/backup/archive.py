"""Reads a backup's archive and believes nothing of it.

Theory of operation. An archive is read once from front to back. Each member must be a plain file or a
folder below one of the known folders, under a name that was not there before, with no "..", no link, no
device, and within the room that there is. Headers of other kinds, or that are long, are refused before
they are read. Files go into a new folder that nobody else can write to. Only when the manifest at the end
names exactly what was read, with the same SHA-256, is the folder's content used.

What this can't tell is who made the archive: a dump of a PostgreSQL database is SQL, so restore your own.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from autograder.errors import PlatformError
from hub.backup.packing import Told
from hub.backup.records import MANIFEST, FileRecord, Manifest, Part, read_manifest
from hub.backup.walking import MAX_DEPTH

MAX_FILES = 10_000_000
MAX_MANIFEST = 1 << 30
MAX_HEADER = 1 << 16
MAX_NAME, MAX_STEP = 4096, 255
RESERVE = 1 << 28  # of the disk: a restored archive must leave so much free
BLOCK = 1 << 20
KINDS = (tarfile.REGTYPE, tarfile.DIRTYPE)


@dataclass(frozen=True)
class Check:
    """What an archive holds that is whole. ``size``: bytes of its files."""

    manifest: Manifest
    size: int


def check(archive: Path, told: Told = lambda name, size: None) -> Check:
    """Reads the whole archive and writes nothing. Raises PlatformError for one that isn't whole."""
    manifest = _read(archive, _Nowhere(), told)
    return Check(manifest, sum(each.size for each in manifest.files))


def unpack(archive: Path, folder: Path, told: Told = lambda name, size: None) -> Manifest:
    """Fills ``folder``, which is new and nobody else's. After a PlatformError, remove the folder."""
    return _read(archive, _Folder(folder), told)


class _Member(tarfile.TarInfo):
    """A header; it can't make the reader take in much before it is looked at."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type == tarfile.XHDTYPE:
            if not 0 <= self.size <= MAX_HEADER:
                raise PlatformError(f"a header of {self.size} bytes: this is no backup of ours")
        elif self.type not in KINDS:
            raise PlatformError(f"{self.name[:200]!r} is a link, a device or the like: no backup of ours")
        return super()._proc_member(tar)  # type: ignore[misc,no-any-return]  # tarfile's inner call has no stub


class _Nowhere:
    """Takes files in and keeps nothing."""

    def room(self) -> int | None:
        return None

    def folder(self, name: str, mode: int) -> None:
        pass

    @contextmanager
    def file(self, name: str, mode: int, mtime: int) -> Iterator[Callable[[bytes], object]]:
        yield len


class _Folder(_Nowhere):
    """Puts files into a folder of our own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def room(self) -> int | None:
        return shutil.disk_usage(self.root).free - RESERVE

    def folder(self, name: str, mode: int) -> None:
        path = self.root / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(mode & 0o755 | 0o700)

    @contextmanager
    def file(self, name: str, mode: int, mtime: int) -> Iterator[Callable[[bytes], object]]:
        path = self.root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as target:
            yield target.write
            target.flush()
            os.fchmod(fd, mode & 0o755)
            os.utime(fd, (mtime, mtime))
            os.fsync(fd)


def _read(archive: Path, into: _Nowhere, told: Told) -> Manifest:
    try:
        with (
            # Not tarfile's own reading of gzip ("r|gz"): an AttributeError for some heads that are cut off.
            gzip.open(archive) as plain,
            tarfile.open(fileobj=plain, mode="r|", tarinfo=_Member, errorlevel=1) as tar,
        ):
            return _verified(*_members(tar, into, told))
    except PlatformError as error:
        raise PlatformError(f"{archive}: {error}; nothing was restored") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise PlatformError(f"{archive} can't be read to its end: {error}; nothing was restored") from error


def _members(tar: tarfile.TarFile, into: _Nowhere, told: Told) -> tuple[list[FileRecord], Manifest | None]:
    files: list[FileRecord] = []
    seen: set[str] = set()
    manifest, left = None, into.room()
    for member in tar:
        _require_new(member, seen, after_end=manifest is not None)
        if member.name == MANIFEST and member.isreg() and member.size <= MAX_MANIFEST:
            manifest = read_manifest(_open(tar, member).read())
            continue
        _require_inside(member.name)
        if member.isdir():
            into.folder(member.name, member.mode)
            continue
        left = left if left is None else left - member.size
        if left is not None and left < 0:
            raise PlatformError("there is not enough room on the disk for what it says it holds")
        files.append(_file(tar, member, into))
        told(member.name, member.size)
    return files, manifest


def _file(tar: tarfile.TarFile, member: tarfile.TarInfo, into: _Nowhere) -> FileRecord:
    total, size, source = hashlib.sha256(), 0, _open(tar, member)
    with into.file(member.name, member.mode, int(member.mtime)) as write:
        while data := source.read(BLOCK):
            total.update(data)
            size += len(data)
            write(data)
    return FileRecord(member.name, size, total.hexdigest())


def _open(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    source = tar.extractfile(member)
    if source is None:
        raise PlatformError(f"{member.name[:200]!r} is no file")
    return source


def _require_new(member: tarfile.TarInfo, seen: set[str], *, after_end: bool) -> None:
    name = member.name
    if member.type not in KINDS or member.sparse is not None or member.size < 0:
        raise PlatformError(f"{name[:200]!r} is neither a plain file nor a folder")
    if after_end or name in seen or len(seen) >= MAX_FILES:
        raise PlatformError(f"{name[:200]!r} is twice in it, after its end, or one of too many files")
    seen.add(name)


def _require_inside(name: str) -> None:
    """Raises PlatformError unless the name stays below one of the known folders."""
    steps = name.split("/")
    fits = len(name) <= MAX_NAME and len(steps) <= MAX_DEPTH + 3
    plain = all(step not in ("", ".", "..") and len(os.fsencode(step)) <= MAX_STEP for step in steps)
    if steps[0] not in list(Part) or len(steps) < 2 or not fits or not plain or "\0" in name:
        raise PlatformError(f"{name[:200]!r} is no name in a backup of ours")


def _verified(files: list[FileRecord], manifest: Manifest | None) -> Manifest:
    if manifest is None:
        raise PlatformError("it ends before its manifest; it is not whole")
    said, found = (sorted(each, key=lambda file: file.path) for each in (manifest.files, files))
    if said != found:
        wrong = sorted({file.path for file in {*said} ^ {*found}})
        raise PlatformError(f"it is damaged: {', '.join(wrong[:3])} is not what the manifest says")
    return manifest
