"""Lays submissions from the exchange into the course directory, where grading finds them.

Contract: every submission becomes a snapshot with the time at which the exchange received it, in
order, once. The gradebook, where there is one, learns that it came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from autograder.gradebook import Receipt, receipts, take_in
from course.gradebook import gradebook_is_there
from hub.coursework import open_gradebook
from hub.exchange.records import Submission

Read = Callable[[Submission], Mapping[str, bytes]]


def collect(course_dir: Path, submissions: Iterable[Submission], read: Read) -> tuple[Receipt, ...]:
    """Takes in those of ``submissions`` (oldest first) that aren't there; returns their receipts."""
    taken = [lay_down(course_dir, each, read(each)) for each in submissions if not is_there(course_dir, each)]
    if taken and gradebook_is_there(course_dir):
        with open_gradebook(course_dir) as gradebook:
            for receipt in taken:
                gradebook.record_submission(receipt)
    return tuple(taken)


def is_there(course_dir: Path, submission: Submission) -> bool:
    """Whether its snapshot is in the course directory."""
    known = receipts(course_dir, submission.student, submission.assignment)
    return any((each.received, each.sha256) == (submission.received, submission.sha256) for each in known)


def lay_down(course_dir: Path, submission: Submission, files: Mapping[str, bytes]) -> Receipt:
    """One submission's snapshot, with the exchange's time."""
    return take_in(
        course_dir,
        submission.student,
        submission.assignment,
        files,
        clock=lambda: submission.received,
        allowed=tuple(files),
    )
