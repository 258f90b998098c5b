"""What course.toml says, as frozen records.

Trusts: the reader has checked every value; nothing here is checked again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Limits:
    """What judging one notebook may use; seconds are wall-clock seconds except cpu_seconds."""

    cell_seconds: float
    notebook_seconds: float
    check_seconds: float
    cpu_seconds: float
    memory_mb: int
    processes: int
    file_mb: int
    output_kb: int
    tmp_mb: int

    def box(self) -> dict[str, float]:
        """The limits of the student's box by name: all but the judge's own."""
        return {name: value for name, value in asdict(self).items() if name != "check_seconds"}


@dataclass(frozen=True)
class Late:
    """After due + grace, each begun day costs a part of the points; after the cutoff all of them."""

    grace_minutes: float
    percent_per_day: float
    cutoff_days: float


class Counts(StrEnum):
    """Which attempt is the grade."""

    LAST = "last"
    BEST = "best"


@dataclass(frozen=True)
class Attempts:
    """How often a student may submit, and which attempt counts."""

    most: int
    counts: Counts


class When(StrEnum):
    """When students see something of a grading, unless their instructor gives feedback back before."""

    AT_ONCE = "at-once"
    AFTER_DUE = "after-due"
    RETURNED = "returned"


@dataclass(frozen=True)
class Feedback:
    """``visible``: what the visible checks said. ``points``: points, and what may be told of hidden checks;
    never before ``visible``."""

    visible: When = When.AT_ONCE
    points: When = When.RETURNED


@dataclass(frozen=True)
class Chapter:
    """A chapter of the book."""

    id: str
    title: str
    part: str


@dataclass(frozen=True)
class Part:
    """A part of the book with its chapters in order."""

    title: str
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True)
class Entry:
    """An assignment as course.toml lists it; ``id`` is the name of its folder."""

    id: str
    chapter: Chapter
    weight: float
    release: datetime
    due: datetime
    late: Late
    attempts: Attempts
    feedback: Feedback = Feedback()


@dataclass(frozen=True)
class Course:
    """A course: its parts in book order and its assignments in the order of course.toml."""

    file: Path
    id: str
    title: str
    timezone: ZoneInfo
    assignments_folder: Path
    solutions_folder: Path
    limits: Limits
    parts: tuple[Part, ...]
    entries: tuple[Entry, ...]

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """All chapters in book order."""
        return tuple(chapter for part in self.parts for chapter in part.chapters)
