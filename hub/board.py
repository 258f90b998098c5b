"""The board of a grading server: for each student and assignment, how far their newest submission is.

Contract: the server alone writes it, the pages read it. That something is being judged is true only while
the server lives, which a lock says; what visible checks said stays. A notice holds nothing that a hidden
check decided, and can't be written is no reason not to grade: pages then show less.

Trusts the names of students and assignments, which were checked where they came in.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.files import write_whole
from autograder.gradebook import Receipt
from autograder.judge import Verdict
from course.tree import STATE
from hub.checks.report import CellReport, CheckReport, QuestionReport, Report

VERSION = 1
MOST_BYTES = 4 << 20
# Linux's struct flock: type, whence, start, length, pid. An open file's own, not its process's (man 2 fcntl).
FLOCK = struct.Struct("hhqqi4x")
SHARED, ALONE = (FLOCK.pack(kind, os.SEEK_SET, 0, 0, 0) for kind in (fcntl.F_RDLCK, fcntl.F_WRLCK))


@dataclass(frozen=True)
class Notice:
    """Of one submission: it is being judged, and these of its notebooks' visible checks have run.
    ``live``: its server is still there."""

    sha256: str
    received: datetime
    reports: tuple[Report, ...] = ()
    live: bool = True


class Board:
    """The board of a course directory."""

    def __init__(self, course_dir: Path) -> None:
        self.folder = course_dir.resolve() / STATE / "board"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """By the server, as long as it serves."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("a+") as lock:
            fcntl.fcntl(lock, fcntl.F_OFD_SETLK, SHARED)  # each server of some of the assignments has one
            yield

    @property
    def live(self) -> bool:
        """Whether a server serves. Who asks takes no lock: two who ask at once don't see each other."""
        try:
            with (self.folder / "lock").open("r") as lock:
                found = fcntl.fcntl(lock, fcntl.F_OFD_GETLK, ALONE)
        except OSError:
            return False
        return bool(FLOCK.unpack(found)[0] != fcntl.F_UNLCK)

    def tell(self, receipt: Receipt, reports: Sequence[Report] = ()) -> None:
        """Puts a submission's notice in the place of the student's last one."""
        notice = {
            "version": VERSION,
            "sha256": receipt.sha256,
            "received": receipt.received.isoformat(),
            "reports": [asdict(each) for each in reports],
        }
        data = json.dumps(notice).encode()
        file = self.file(receipt.student, receipt.assignment)
        # No room on the disk, say: the grading itself will tell.
        with contextlib.suppress(OSError):
            if len(data) <= MOST_BYTES:
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_whole(file, data)

    def notice(self, student: str, assignment: str) -> Notice | None:
        """What was told last of a student's work on an assignment; None for what can't be read."""
        try:
            with self.file(student, assignment).open("rb") as file:
                found = json.loads(file.read(MOST_BYTES + 1))
            return replace(read_notice(found), live=self.live)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def stamp(self, student: str, assignment: str) -> object:
        """Changes whenever the notice does."""
        try:
            found = self.file(student, assignment).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def file(self, student: str, assignment: str) -> Path:
        return self.folder / assignment / f"{student}.json"


def read_notice(found: Any) -> Notice:
    """Raises ValueError, TypeError or KeyError for what ``tell`` didn't write."""
    if found["version"] != VERSION:
        raise ValueError("another version")
    return Notice(
        str(found["sha256"]),
        datetime.fromisoformat(found["received"]),
        tuple(read_report(each) for each in found["reports"]),
    )


def read_report(found: Any) -> Report:
    return Report(
        **{
            **found,
            "questions": tuple(read_question(each) for each in found["questions"]),
            "cells": tuple(CellReport(**each) for each in found["cells"]),
            "repairs": tuple(found["repairs"]),
        }
    )


def read_question(found: Any) -> QuestionReport:
    return QuestionReport(**{**found, "checks": tuple(read_check(each) for each in found["checks"])})


def read_check(found: Any) -> CheckReport:
    verdict = found["verdict"]
    return CheckReport(**{**found, "verdict": None if verdict is None else Verdict(verdict)})
