"""What there is to grade: the submissions that may count, unless they are graded already.

The newest of each student where the last attempt counts; all of them where the best one does.

Contract: a job is keyed by content. The same submission against the same tests is no job twice,
unless the last try was a fault of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.errors import PlatformError
from autograder.gradebook import Gradebook, Policy, Receipt, all_receipts, latest_receipts, source_version


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
) -> tuple[Job, ...]:
    """The jobs of an assignment, by student; ``again`` asks for the graded ones too.

    ``policy``: which attempt counts. An earlier submission that was never judged may be the best one.
    """
    may_count = all_receipts if policy is Policy.BEST else latest_receipts
    version = source_version(sources)
    jobs = []
    for receipt in may_count(course_dir, assignment):
        if students and receipt.student not in students:
            continue
        key = (receipt.student, assignment, receipt.sha256, receipt.received, version)
        if again or not gradebook.is_graded(*key):
            jobs.append(Job(receipt))
    return tuple(jobs)
