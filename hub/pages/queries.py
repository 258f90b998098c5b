"""Every question that pages ask the gradebook and the exchange, each a few queries over whole tables.

Contract: reads only. A course directory whose gradebook isn't there yet answers with nothing. What is
asked for a whole class is kept while the files of SQLite don't change, or for ``KEPT_SECONDS``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import func, select

from autograder.errors import PlatformError
from autograder.gradebook import Attempt, AttemptState, Gradebook, Standing, read_standings
from autograder.gradebook.asides import undone
from autograder.gradebook.questions import question_points
from autograder.gradebook.summary import FILE, Summary, read_summary
from autograder.gradebook.tables import AttemptRow, CheckRow, CountingRow, NotebookRow
from course.gradebook import gradebook_url
from hub.board import Board
from hub.coursework import open_gradebook
from hub.exchange.exchange import Exchange
from hub.exchange.records import Arrival, Member, Returned

KEPT_SECONDS = 2.0
SUMMARIES = 500
Key = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class CheckRate:
    """How a check went in the attempts that count: of ``judged``, ``full`` got all its points and
    ``part`` some. ``verdicts``: how often each."""

    notebook: str
    name: str
    question: str
    max_points: float
    judged: int
    full: int
    part: int
    mean: float
    verdicts: dict[str, int]


@dataclass(frozen=True)
class Cost:
    """What an attempt that counts used, all its notebooks together."""

    student: str
    points: float
    max_points: float
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


class Records:
    """The gradebook and the exchange as pages read them. Safe from several threads."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.course_dir = exchange.course_dir
        self.board = Board(exchange.course_dir)
        self._lock = threading.Lock()
        self._gradebook: tuple[object, Gradebook] | None = None
        self._kept: dict[str, tuple[object, Any]] = {}
        self._summaries: dict[int, Summary | None] = {}

    def close(self) -> None:
        """Closes the database's connections."""
        if self._gradebook is not None:
            self._gradebook[1].close()
            self._gradebook = None

    def gradebook(self) -> Gradebook | None:
        """The gradebook, None before the first release. Raises PlatformError where it can't be read."""
        url = gradebook_url(self.course_dir)
        file = _sqlite_file(url)
        if file is not None and not file.is_file():
            return None
        made = (url, file.stat().st_ino if file else None)
        with self._lock:
            if self._gradebook is None or self._gradebook[0] != made:
                self.close()
                self._gradebook = made, open_gradebook(self.course_dir)
            return self._gradebook[1]

    # a whole class

    def standings(self) -> tuple[Standing, ...]:
        """Every student in every assignment of the gradebook."""
        return self._kept_while_unchanged("standings", self._read_standings)

    def judged(self) -> dict[tuple[str, str, str], str]:
        """(student, assignment, sha256) -> how the last judging of these bytes ended."""
        return self._kept_while_unchanged("judged", self._read_judged)

    def students(self) -> tuple[Member, ...]:
        """The students of the roster."""
        return tuple(member for member in self.exchange.roster() if not member.is_staff)

    def arrivals(self) -> tuple[Arrival, ...]:
        return self.exchange.arrivals()

    def returned_attempts(self) -> dict[Key, int]:
        return self.exchange.returned_attempts()

    # one assignment

    def check_rates(self, assignment: str) -> tuple[CheckRate, ...]:
        """The checks of an assignment in the order of its notebooks."""
        found = self._rows(
            select(
                NotebookRow.name,
                CheckRow.name,
                func.max(CheckRow.question),
                func.max(CheckRow.max_points),
                func.min(CheckRow.position),
                CheckRow.verdict,
                CheckRow.points >= CheckRow.max_points,
                CheckRow.points > 0,
                func.count(),
                func.sum(CheckRow.points),
            )
            .join(NotebookRow, NotebookRow.id == CheckRow.notebook_id)
            .join(CountingRow, CountingRow.attempt_id == NotebookRow.attempt_id)
            .where(CountingRow.assignment == assignment)
            .group_by(
                NotebookRow.name,
                CheckRow.name,
                CheckRow.verdict,
                CheckRow.points >= CheckRow.max_points,
                CheckRow.points > 0,
            )
        )
        groups: dict[tuple[str, int, str], list[Any]] = {}
        place: dict[Key, int] = {}
        for row in found:
            place[row[0], row[1]] = min(row[4], place.get((row[0], row[1]), row[4]))
        for row in found:
            groups.setdefault((row[0], place[row[0], row[1]], row[1]), []).append(row)
        return tuple(_check_rate(groups[key]) for key in sorted(groups))

    def costs(self, assignment: str) -> tuple[Cost, ...]:
        """What each attempt that counts used, by student."""
        rows = self._rows(
            select(
                AttemptRow.student,
                AttemptRow.points,
                AttemptRow.max_points,
                func.sum(NotebookRow.cpu_seconds),
                func.sum(NotebookRow.wall_seconds),
                func.max(NotebookRow.peak_bytes),
            )
            .join(CountingRow, CountingRow.attempt_id == AttemptRow.id)
            .join(NotebookRow, NotebookRow.attempt_id == AttemptRow.id)
            .where(CountingRow.assignment == assignment, AttemptRow.state == AttemptState.GRADED.value)
            .group_by(AttemptRow.student, AttemptRow.points, AttemptRow.max_points)
            .order_by(AttemptRow.student)
        )
        return tuple(Cost(*row) for row in rows)

    # one student

    def attempts(self, student: str) -> tuple[Attempt, ...]:
        """All gradings of a student, oldest first."""
        gradebook = self.gradebook()
        return gradebook.attempts(student) if gradebook is not None else ()

    def judged_of(self, student: str, now: datetime) -> dict[Key, str]:
        """(assignment, sha256) -> how the last judging of a student's bytes ended, before this minute began.

        Sooner, a page that is watched would tell how long hidden tests took, which a student can decide.
        """
        rows = self._rows(
            select(AttemptRow.assignment, AttemptRow.sha256, AttemptRow.state)
            .where(AttemptRow.student == student, AttemptRow.graded <= now.replace(second=0, microsecond=0))
            .where(AttemptRow.id.not_in(undone()))
            .order_by(AttemptRow.id)
        )
        return {(assignment, sha256): state for assignment, sha256, state in rows}

    def questions(self, assignment: str) -> dict[Key, float | None]:
        """(student, question) -> points, a person's corrections included."""
        gradebook = self.gradebook()
        return question_points(gradebook, assignment) if gradebook is not None else {}

    def summary(self, returned: Returned) -> Summary | None:
        """What was given back, as data; None where only pages were. Kept for good: it never changes."""
        if returned.id not in self._summaries:
            files = {each.name for each in returned.files}
            found = self.exchange.read_returned(returned).get(FILE) if FILE in files else None
            if len(self._summaries) >= SUMMARIES:
                self._summaries.clear()
            self._summaries[returned.id] = _readable(found)
        return self._summaries[returned.id]

    def _read_standings(self) -> tuple[Standing, ...]:
        gradebook = self.gradebook()
        return read_standings(gradebook) if gradebook is not None else ()

    def _read_judged(self) -> dict[tuple[str, str, str], str]:
        rows = self._rows(
            select(AttemptRow.student, AttemptRow.assignment, AttemptRow.sha256, AttemptRow.state)
            .where(AttemptRow.id.not_in(undone()))
            .order_by(AttemptRow.id)
        )
        return {(student, assignment, sha256): state for student, assignment, sha256, state in rows}

    def _rows(self, query: Any) -> list[Any]:
        gradebook = self.gradebook()
        if gradebook is None:
            return []
        with gradebook.database.reading() as session:
            return list(session.execute(query))

    def _kept_while_unchanged(self, name: str, read: Callable[[], T]) -> T:
        version = self._version()
        known = self._kept.get(name)
        if known is None or known[0] != version:
            known = version, read()
            self._kept[name] = known
        found: T = known[1]
        return found

    def _version(self) -> object:
        """Changes whenever the gradebook does: its files, or the time where it is a server."""
        file = _sqlite_file(gradebook_url(self.course_dir))
        if file is None:
            return int(time.monotonic() / KEPT_SECONDS)
        return tuple(_stamp(f"{file}{end}") for end in ("", "-wal"))


def _sqlite_file(url: str) -> Path | None:
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def _stamp(file: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(file)  # noqa: PTH116  # three of these a page, and no Path needed
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _check_rate(rows: list[Any]) -> CheckRate:
    notebook, name, question, most, *_ = rows[0]
    verdicts: dict[str, int] = {}
    for row in rows:
        verdicts[row[5]] = verdicts.get(row[5], 0) + row[8]
    judged = sum(row[8] for row in rows)
    full = sum(row[8] for row in rows if row[6])
    part = sum(row[8] for row in rows if row[7] and not row[6])
    total = sum(row[9] for row in rows)
    return CheckRate(notebook, name, question, most, judged, full, part, total / judged, verdicts)


def _readable(data: bytes | None) -> Summary | None:
    try:
        return read_summary(data) if data is not None else None
    except PlatformError:
        return None  # of another version: the pages that were given back with it still tell all
