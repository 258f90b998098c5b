"""What a backup says of itself: the manifest, the archive's last member.

Contract: every byte that is restored is in a file that the manifest names with its SHA-256. A
manifest is untrusted when it is read: an unknown kind or a field of the wrong type is a PlatformError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from autograder.errors import PlatformError
from course.tree import STATE

KIND = "mlsys backup 1"
MANIFEST = "manifest.json"
LAST_BACKUP = f"{STATE}/last-backup"  # in the course directory; touched by each backup that succeeds


class Part(StrEnum):
    """The folders of an archive."""

    COURSE = "course"
    STATE = "state"
    HOMES = "homes"
    OBJECTS = "objects"
    DATABASES = "databases"


@dataclass(frozen=True)
class FileRecord:
    """One file of the archive; ``path`` is its name there."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class DatabaseRecord:
    """A PostgreSQL database's dump. ``names``: what is kept in it (gradebook, exchange, hub)."""

    names: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class Manifest:
    """``made``: when the backup was begun; ``parts``: what was asked for; ``skipped``: what was left
    out, with the reason; ``owners``: uid of each home. ``course_file``: the course.toml that was taught, an
    absolute path of the host, or a name in the archive."""

    made: str
    version: str
    course_file: str
    parts: tuple[Part, ...]
    files: tuple[FileRecord, ...]
    databases: tuple[DatabaseRecord, ...]
    skipped: tuple[str, ...]
    owners: dict[str, int]

    def text(self) -> bytes:
        return json.dumps({"kind": KIND, **asdict(self)}, indent=1).encode() + b"\n"


def read_manifest(text: bytes) -> Manifest:
    """The manifest of an archive. Raises PlatformError."""
    try:
        found = json.loads(text)
        if found["kind"] != KIND:
            raise ValueError(f"its kind is not {KIND!r}")
        return Manifest(
            made=str(found["made"]),
            version=str(found["version"]),
            course_file=str(found["course_file"]),
            parts=tuple(Part(each) for each in found["parts"]),
            files=tuple(_file(each) for each in found["files"]),
            databases=tuple(_database(each) for each in found["databases"]),
            skipped=tuple(map(str, found["skipped"])),
            owners={str(name): int(uid) for name, uid in found["owners"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PlatformError(f"{MANIFEST} can't be used: {error}; take another backup") from error


def _file(found: Mapping[str, Any]) -> FileRecord:
    return FileRecord(str(found["path"]), int(found["size"]), str(found["sha256"]))


def _database(found: Mapping[str, Any]) -> DatabaseRecord:
    return DatabaseRecord(tuple(map(str, found["names"])), str(found["path"]))
