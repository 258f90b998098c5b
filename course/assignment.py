"""An assignment as its author wrote it, in frozen records.

Trusts: ``course.material`` has read and checked everything here: ids match, points add up,
every check has its hidden partner and every question its reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from course.percent import Script
from course.records import Entry, Limits


@dataclass(frozen=True)
class Question:
    """What a student is asked for: a solve cell and the checks that follow it."""

    id: str
    title: str
    points: float


@dataclass(frozen=True)
class Authored:
    """An assignment in the percent format. ``questions`` maps a check's id to its question's."""

    script: Script
    solution: Script
    hidden: Script
    questions: Mapping[str, str]


@dataclass(frozen=True)
class Existing:
    """An nbgrader source notebook that is used as it is."""

    file: Path
    text: str


@dataclass(frozen=True)
class Variant:
    """A submission that staff wrote: a plausible mistake, or another correct way.

    ``answers`` holds the cells that differ from the reference, by question id. ``changes`` and
    ``mark`` are what verifying must find: the questions that lose points, and the total.
    """

    name: str
    file: Path
    note: str
    answers: Mapping[str, str]
    changes: tuple[str, ...]
    mark: float


@dataclass(frozen=True)
class Assignment:
    """An assignment with all that staff know of it. ``extras`` are released beside the notebook; ``preload``
    is None where the judge decides."""

    entry: Entry
    folder: Path
    solutions: Path
    title: str
    summary: str
    minutes: int
    opaque: tuple[str, ...]
    hide: tuple[str, ...]
    preload: tuple[str, ...] | None
    files: tuple[str, ...]
    limits: Limits
    questions: tuple[Question, ...]
    content: Authored | Existing
    wrong: tuple[Variant, ...]
    right: tuple[Variant, ...]
    extras: tuple[Path, ...]

    @property
    def id(self) -> str:
        """The name of its folder, such as 07-autograd; nbgrader's name of the assignment."""
        return self.entry.id

    @property
    def notebook(self) -> str:
        """The name of its notebook, without suffix."""
        return self.content.file.stem if isinstance(self.content, Existing) else slug(self.id)

    @property
    def points(self) -> float:
        """The points that its questions offer together."""
        return sum(question.points for question in self.questions)


def slug(name: str) -> str:
    """A folder's name without its number: 07-autograd → autograd."""
    return re.sub(r"^\d+[-_.]", "", name)
