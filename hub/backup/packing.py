"""Writes a backup's archive: a compressed tar file whose last member is the manifest of the others."""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from hub.backup.records import MANIFEST, FileRecord, Manifest

Told = Callable[[str, int], None]


@dataclass
class Archive:
    """A tar file that is being written, and the manifest that grows with it."""

    tar: tarfile.TarFile
    told: Told
    begun: float = field(default_factory=time.time)
    files: list[FileRecord] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    owners: dict[str, int] = field(default_factory=dict)

    def folder(self, name: str, mode: int) -> None:
        self.tar.addfile(self._header(name, tarfile.DIRTYPE, mode & 0o755 | 0o700))

    def file(self, name: str, source: IO[bytes], size: int, mode: int = 0o600, mtime: float = 0) -> None:
        """A file of exactly ``size`` bytes: what grows is cut, what shrinks is filled with zeros."""
        header = self._header(name, tarfile.REGTYPE, mode & 0o755, mtime or self.begun)
        header.size = size
        reader = Exactly(source, size)
        self.tar.addfile(header, reader)
        if reader.missing:
            self.skipped.append(f"{name}: became shorter while it was read")
        self.files.append(FileRecord(name, size, reader.sha256.hexdigest()))
        self.told(name, size)

    def path(self, name: str, source: Path) -> None:
        with source.open("rb") as handle:
            self.file(name, handle, source.stat().st_size)

    def end(self, manifest: Manifest) -> None:
        text = manifest.text()
        header = self._header(MANIFEST, tarfile.REGTYPE, 0o600, self.begun)
        header.size = len(text)
        self.tar.addfile(header, io.BytesIO(text))

    def _header(self, name: str, kind: bytes, mode: int, mtime: float = 0) -> tarfile.TarInfo:
        """Without owners: who restores decides who owns."""
        header = tarfile.TarInfo(name)
        header.type, header.mode, header.mtime = kind, mode, int(mtime or self.begun)
        return header


class Exactly(io.RawIOBase):
    """So many bytes of a file, hashed as they are read; zeros for what isn't there any more."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self.source = source
        self.left = size
        self.missing = False
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        data = self.source.read(wanted)
        if len(data) < wanted:
            self.missing = True
            data = data.ljust(wanted, b"\0")
        self.left -= len(data)
        self.sha256.update(data)
        return data
