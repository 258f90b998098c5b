"""What there is to grade: the submissions that may count, unless they are graded already.

The newest of each student where the last attempt counts; all of them where the best one does.

Contract: a job is keyed by content. The same submission against the same tests is no job twice,
unless the last try was a fault of ours. A snapshot that can't be read stops nobody but its student.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.errors import PlatformError
from autograder.gradebook import Gradebook, Policy, Receipt, receipts, source_version, submitters


@dataclass(frozen=True)
class Job:
    """One submission to grade. Its bytes are read when its turn comes."""

    receipt: Receipt

    @property
    def student(self) -> str:
        return self.receipt.student

    @property
    def assignment(self) -> str:
        return self.receipt.assignment

    @property
    def key(self) -> tuple[str, str, datetime]:
        """What makes it this submission at its assignment: student, bytes, time."""
        return self.student, self.receipt.sha256, self.receipt.received


@dataclass(frozen=True)
class Found:
    """``damaged``: what is wrong with snapshots that can't be read; their students have no job."""

    jobs: tuple[Job, ...]
    damaged: tuple[str, ...] = ()


def read_sources(course_dir: Path, assignment: str) -> dict[str, NotebookNode]:
    """The assignment's source notebooks, by name. Raises PlatformError where there are none."""
    folder = course_dir / "source" / assignment
    found = {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}
    if not found:
        raise PlatformError(f"{folder} holds no source notebook; run `mlsys release {assignment}` first")
    return found


def find_jobs(
    course_dir: Path,
    gradebook: Gradebook,
    assignment: str,
    sources: Mapping[str, NotebookNode],
    *,
    policy: Policy = Policy.LAST,
    students: tuple[str, ...] = (),
    again: bool = False,
) -> Found:
    """The jobs of an assignment, by student; ``again`` asks for the graded ones too.

    ``policy``: which attempt counts. An earlier submission that was never judged may be the best one.
    """
    graded = frozenset() if again else gradebook.graded(assignment, source_version(sources))
    jobs: list[Job] = []
    damaged: list[str] = []
    for student in submitters(course_dir, assignment):
        if students and student not in students:
            continue
        try:
            known = receipts(course_dir, student, assignment)
        except PlatformError as error:
            damaged.append(str(error))
            continue
        eligible = known if policy is Policy.BEST else known[-1:]
        jobs.extend(job for job in map(Job, eligible) if job.key not in graded)
    return Found(tuple(jobs), tuple(damaged))
