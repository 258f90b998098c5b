"""The gradebook as others see it: nbgrader's tables by plain SQL, and its own API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook as NbgraderGradebook
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from autograder.gradebook.regrading import Warrant
from course.gradebook import gradebook_url

WARRANT = Warrant("alan", datetime(2026, 9, 9, 12, tzinfo=UTC), "check-relu was wrong", "1+abc", "e" * 64)


def tables(course: Path, *, ours: bool) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, sorted; of our own ones only where they are asked for."""
    engine = create_engine(gradebook_url(course), poolclass=NullPool)
    names = [each for each in inspect(engine).get_table_names() if ours or not each.startswith("mlsys_")]
    with engine.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))), key=repr)  # noqa: S608
            for name in names
        }


@contextmanager
def theirs(course: Path) -> Iterator[NbgraderGradebook]:
    """nbgrader's own gradebook; what is changed in it is kept."""
    with NbgraderGradebook(gradebook_url(course)) as opened:
        yield opened
        opened.db.commit()


def scores(course: Path) -> dict[str, tuple[float, float]]:
    """Student -> (score, the most), by nbgrader."""
    with theirs(course) as book:
        return {
            each.student.id: (float(each.score), float(each.max_score))
            for each in book.assignment_submissions("layers")
        }


def grades(course: Path, student: str = "ada") -> dict[str, tuple[float | None, float | None, bool]]:
    """Cell -> automatic mark, mark by hand, whether a person has to look."""
    with theirs(course) as book:
        found = book.find_submission_notebook("layers", "layers", student)
        return {
            each.name: (each.auto_score, each.manual_score, each.needs_manual_grade) for each in found.grades
        }


def mark(course: Path, cell: str, points: float, student: str = "ada") -> None:
    """A person gives points in the formgrader."""
    with theirs(course) as book:
        grade = book.find_grade(cell, "layers", "layers", student)
        grade.manual_score, grade.needs_manual_grade = points, False


def remark(course: Path, cell: str, words: str, student: str = "ada") -> None:
    """A person writes a comment in the formgrader."""
    with theirs(course) as book:
        book.find_comment(cell, "layers", "layers", student).manual_comment = words
