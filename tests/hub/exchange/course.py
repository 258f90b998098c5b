"""A course of two assignments, with a clock that tests set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from course.records import Attempts, Chapter, Counts, Course, Entry, Late, Limits, Part

OPENS = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
DUE = datetime(2027, 2, 15, 18, 0, tzinfo=UTC)
CLOSES = DUE + timedelta(days=2, minutes=15)
MOST = 5
FIRST, SECOND = "01-layers", "02-kernels"
LIMITS = Limits(30, 300, 20, 300, 1024, 128, 64, 1024, 64)


@dataclass
class Hands:
    """A clock whose hands a test sets; starts a day after the assignments open."""

    now: datetime = OPENS + timedelta(days=1)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **time: float) -> None:
        self.now += timedelta(**time)


def small_course(folder: Path) -> Course:
    """The material isn't needed: what students may submit beside notebooks is then nothing."""
    chapter = Chapter("frameworks", "Frameworks", "Foundations")
    late, attempts = Late(15, 10, 2), Attempts(MOST, Counts.LAST)
    return Course(
        file=folder / "course.toml",
        id="mls",
        title="Systems",
        timezone=ZoneInfo("UTC"),
        assignments_folder=folder / "assignments",
        solutions_folder=folder / "solutions",
        limits=LIMITS,
        parts=(Part("Foundations", (chapter,)),),
        entries=tuple(Entry(each, chapter, 1, OPENS, DUE, late, attempts) for each in (FIRST, SECOND)),
    )


def notebook(text: str = "") -> bytes:
    """A notebook of one cell."""
    cell: dict[str, object] = {"cell_type": "code", "metadata": {}, "source": text, "outputs": []}
    cell["execution_count"] = None
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()
