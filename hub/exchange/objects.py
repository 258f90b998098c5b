"""Keeps files by their content: a name is the SHA-256 of the bytes, here or on any fsspec storage.

Contract: ``put`` returns when the bytes are durable; the same bytes are kept once. ``get`` gives back
what was put or raises PlatformError, never anything else. On local storage an object appears by a
rename, so a crash leaves whole objects and forgotten temporary files, no broken object; one
that is broken for another reason is written anew by the next ``put``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import fsspec  # type: ignore[import-untyped]  # it has no types

from autograder.errors import PlatformError
from autograder.files import write_whole

KEY = re.compile(r"[0-9a-f]{64}")


class Objects(Protocol):
    """A content-addressed storage."""

    def put(self, data: bytes) -> str:
        """Keeps ``data``; returns its SHA-256 when it is durable."""

    def get(self, sha256: str) -> bytes:
        """The bytes of this SHA-256. Raises PlatformError."""


def open_objects(storage: str) -> Objects:
    """The storage behind a path or an fsspec URL, such as ``s3://bucket/course``."""
    if "://" not in storage:
        return LocalObjects(Path(storage))
    if storage.startswith("file://"):
        return LocalObjects(Path(storage.removeprefix("file://")))
    return RemoteObjects(storage)


class LocalObjects:
    """Files below a folder that its owner alone can read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        with _told(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        with _told(path):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if not _holds(path, sha256):
                write_whole(path, data, mode=0o400, durable=True)
            # Also where the file was there: another writer may not have come to this line yet.
            _sync_folder(path.parent)
            _sync_folder(self.folder)
        return sha256

    def get(self, sha256: str) -> bytes:
        path = self._path(sha256)
        with _told(path):
            return _verified(path.read_bytes(), sha256, str(path))

    def _path(self, sha256: str) -> Path:
        return self.folder / _key(sha256)[:2] / sha256


class RemoteObjects:
    """Objects of an fsspec file system, whose own ``pipe_file`` is taken to be whole or nothing."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        with _told(url):
            self._files: Any
            self._files, self._root = fsspec.core.url_to_fs(self.url)

    def put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        with _told(path):
            self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            self._files.pipe_file(path, data)
        return sha256

    def get(self, sha256: str) -> bytes:
        path = self._path(sha256)
        with _told(path):
            return _verified(self._files.cat_file(path), sha256, path)

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{_key(sha256)[:2]}/{sha256}"


def _key(sha256: str) -> str:
    if not KEY.fullmatch(sha256):
        raise PlatformError(f"{sha256[:80]!r} is no SHA-256; the exchange's database is damaged")
    return sha256


def _holds(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _verified(data: bytes, sha256: str, where: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PlatformError(f"{where} is not what was kept; restore it from a backup")
    return data


@contextlib.contextmanager
def _told(where: object) -> Iterator[None]:
    """Any storage's failure is the platform's; a storage of fsspec may raise anything."""
    try:
        yield
    except PlatformError:
        raise
    except Exception as error:  # fsspec's file systems have no common error
        raise PlatformError(
            f"the exchange's storage failed at {where}: {error}; it is safe to try again"
        ) from error
