"""Snapshots of submissions: what came in, as it came, and the receipt for it.

Contract: a snapshot, once there, never changes. ``snapshots/<student>/<assignment>/<utc>-<sha8>/``
holds ``receipt.json`` and the read-only ``files/``; one rename makes both appear. What is read back
is checked against the receipt's hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from autograder.errors import PlatformError
from autograder.gradebook.folders import unwritable

UNFINISHED = re.compile(r"\.[0-9a-f]{32}")


@dataclass(frozen=True)
class ReceivedFile:
    """One file of a submission."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What was received, from whom, when; ``received`` is our clock's time, in UTC.

    ``sha256`` is over all files' names and bytes. ``ignored``: names of files that the assignment
    doesn't take. ``folder`` is relative to the course directory.
    """

    student: str
    assignment: str
    received: datetime
    sha256: str
    files: tuple[ReceivedFile, ...]
    ignored: tuple[str, ...]
    folder: str


def receipts(course: Path, student: str, assignment: str) -> tuple[Receipt, ...]:
    """All receipts of a student for an assignment, oldest first."""
    home = course / "snapshots" / student / assignment
    found = [_read_receipt(path) for path in home.glob("*/receipt.json")]
    return tuple(sorted(found, key=lambda each: each.received))


def latest_receipt(course: Path, student: str, assignment: str) -> Receipt | None:
    """The newest receipt, None where nothing was submitted."""
    return (receipts(course, student, assignment) or (None,))[-1]


def latest_receipts(course: Path, assignment: str) -> tuple[Receipt, ...]:
    """The newest receipt of each student for an assignment, by student."""
    found = (latest_receipt(course, student, assignment) for student in submitters(course, assignment))
    return tuple(each for each in found if each is not None)


def all_receipts(course: Path, assignment: str) -> tuple[Receipt, ...]:
    """Every receipt for an assignment, by student, oldest first."""
    students = submitters(course, assignment)
    return tuple(receipt for student in students for receipt in receipts(course, student, assignment))


def submitters(course: Path, assignment: str) -> list[str]:
    """The students who may have submitted something for an assignment."""
    return sorted(home.parent.name for home in (course / "snapshots").glob(f"*/{assignment}"))


def read_snapshot(course: Path, receipt: Receipt) -> dict[str, bytes]:
    """The bytes of a snapshot. Raises PlatformError if they aren't those that were received."""
    folder = course / receipt.folder / "files"
    try:
        files = {each.name: (folder / each.name).read_bytes() for each in receipt.files}
    except OSError as error:
        raise PlatformError(f"{folder}: {error.strerror}; restore the snapshot from a backup") from error
    if content_sha256(files) != receipt.sha256:
        raise PlatformError(f"{folder} is not what was received; restore the snapshot from a backup")
    return files


def content_sha256(files: Mapping[str, bytes]) -> str:
    """The SHA-256 over names, lengths and bytes of all files, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def write_snapshot(folder: Path, receipt: Receipt, files: Mapping[str, bytes]) -> None:
    """Keeps a submission: the folder appears whole, or not at all. Raises PlatformError."""
    staging = folder.parent / f".{uuid.uuid4().hex}"
    record = {**asdict(receipt), "received": receipt.received.isoformat()}
    try:
        (staging / "files").mkdir(parents=True)
        for path, data in [
            *((staging / "files" / name, data) for name, data in files.items()),
            (staging / "receipt.json", json.dumps(record, indent=1, ensure_ascii=False).encode()),
        ]:
            _write_once(path, data)
        staging.rename(folder)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise unwritable(folder, error) from error


def remove_unfinished(home: Path) -> None:
    """Removes what killed writers left. Call it where nobody writes a snapshot of this home."""
    for path in home.glob(".*"):
        if UNFINISHED.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _write_once(path: Path, data: bytes) -> None:
    """A new read-only file that is on the disk when this returns."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o444)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read_receipt(path: Path) -> Receipt:
    try:
        found = json.loads(path.read_bytes())
        return Receipt(
            student=found["student"],
            assignment=found["assignment"],
            received=datetime.fromisoformat(found["received"]),
            sha256=found["sha256"],
            files=tuple(ReceivedFile(**each) for each in found["files"]),
            ignored=tuple(found["ignored"]),
            folder=found["folder"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlatformError(f"{path} can't be read: {error}; restore it from a backup") from error
