"""Gives feedback back: the pages that `mlsys feedback` or nbgrader wrote, for the submission they are of.

Contract: the pages lie in ``feedback/<student>/<assignment>/`` of the course directory. Which submission
and attempt they are of, the gradebook says; where it knows of no attempt (stock autograding), the
newest snapshot is meant and the attempt is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.gradebook import Gradebook, latest_receipt
from autograder.gradebook.attempts import choose_newest
from hub.exchange.packages import read_package

STAMPS = ("timestamp.txt", "submission_secret.txt")


@dataclass(frozen=True)
class Feedback:
    """Pages, and the attempt that they are of."""

    student: str
    assignment: str
    sha256: str
    attempt: int
    files: dict[str, bytes]


def feedback_of(course_dir: Path, gradebook: Gradebook, student: str, assignment: str) -> Feedback | None:
    """The feedback that was written for a student; None where there is none."""
    folder = course_dir / "feedback" / student / assignment
    found = read_package(folder) if folder.is_dir() else {}
    files = {name: data for name, data in found.items() if name not in STAMPS}
    attempt = choose_newest(gradebook.attempts(student, assignment))
    receipt = latest_receipt(course_dir, student, assignment)
    if not files or (attempt is None and receipt is None):
        return None
    sha256 = attempt.sha256 if attempt is not None else receipt.sha256 if receipt is not None else ""
    return Feedback(student, assignment, sha256, attempt.number if attempt is not None else 0, files)


def students_with_feedback(course_dir: Path, assignment: str) -> Iterator[str]:
    """Those for whom a folder of pages is there, by name."""
    for folder in sorted((course_dir / "feedback").glob(f"*/{assignment}")):
        if folder.is_dir():
            yield folder.parent.name
