"""Feedback that comes without being asked for: when the course says so, to each student once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.gradebook import Gradebook
from autograder.judge import Verdict
from course.records import Feedback, When
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member
from hub.giving import LOOK_SECONDS, Giver
from hub.pages.material import Material
from tests.autograder.conftest import course, released_course
from tests.autograder.gradebook.gradings import open_gradebook, result
from tests.hub.pages.school import DUE, NOW, School, small_course

__all__ = ["course", "released_course"]


@dataclass
class Class:
    """A school, and who gives its feedback back."""

    school: School
    gradebook: Gradebook
    giver: Giver
    seconds: float = 0.0

    def submits_and_is_graded(self, student: str, extra: bytes = b"") -> None:
        """By the server, which tells the giver of it."""
        self.school.submit(student, extra=extra)
        self.school.grade(student=student)
        self.giver.graded(self.gradebook.attempts(student, "layers")[-1])

    def later(self) -> None:
        """The next round in which it looks for what has come due."""
        self.seconds += LOOK_SECONDS
        self.giver.give(self.seconds)

    def points(self, student: str) -> list[str]:
        """The attempts whose feedback the student may read, newest first."""
        given = self.school.exchange.returned(student, "layers")
        return [each.sha256 for each in given]


@contextmanager
def opened(course_dir: Path, folder: Path, points: When) -> Iterator[Class]:
    taught = small_course(folder)
    entries = tuple(replace(each, feedback=Feedback(When.AT_ONCE, points)) for each in taught.entries)
    taught, now = replace(taught, entries=entries), [NOW]
    with (
        Exchange(taught, course_dir, clock=lambda: now[0]) as exchange,
        open_gradebook(course_dir) as gradebook,
    ):
        exchange.enrol([Member("ada"), Member("grace")])
        exchange.release("layers")
        giver = Giver(taught, gradebook, exchange, Material(taught), ("layers",))
        yield Class(School(course_dir, exchange, now), gradebook, giver)


def test_nothing_is_given_back_where_the_instructor_does_it(course: Path, tmp_path: Path) -> None:
    with opened(course, tmp_path, When.RETURNED) as made:
        made.submits_and_is_graded("ada")
        made.school.now[0] = DUE + timedelta(days=9)
        made.later()
        assert made.points("ada") == []
        assert not (course / "feedback").exists()


def test_at_once_means_with_the_grading(course: Path, tmp_path: Path) -> None:
    with opened(course, tmp_path, When.AT_ONCE) as made:
        made.submits_and_is_graded("ada")
        assert "10 of 15 points" in made.school.visitor("ada").page("/a/layers").text
        made.submits_and_is_graded("ada", extra=b" ")
        made.later()
        newest, older = made.points("ada")
        assert newest != older
        assert made.points("grace") == []


def test_what_a_batch_graded_and_a_fault_before_it(course: Path, tmp_path: Path) -> None:
    with opened(course, tmp_path, When.AT_ONCE) as made:
        made.school.submit()
        made.school.grade(fault="no box in /srv")
        made.giver.graded(made.gradebook.attempts("ada", "layers")[-1])
        made.later()
        assert made.points("ada") == []
        made.school.grade(result(Verdict.OK, Verdict.OK, Verdict.OK))  # by another process
        made.giver.give(made.seconds + 1)  # not its time to look
        assert made.points("ada") == []
        made.later()
        made.later()
        assert len(made.points("ada")) == 1


def test_after_due_is_after_each_students_own_due_date(course: Path, tmp_path: Path) -> None:
    with opened(course, tmp_path, When.AFTER_DUE) as made:
        made.school.exchange.extend("grace", "layers", DUE + timedelta(days=1), by="alan")
        for student in ("ada", "grace"):
            made.submits_and_is_graded(student)
        made.school.now[0] = DUE
        made.later()
        assert made.points("ada") == made.points("grace") == []
        made.school.now[0] = DUE + timedelta(seconds=1)
        made.later()
        assert len(made.points("ada")) == 1 and made.points("grace") == []
        made.school.now[0] = DUE + timedelta(days=1, seconds=1)
        made.later()
        assert len(made.points("ada")) == len(made.points("grace")) == 1


def test_another_process_gives_back_nothing_again(course: Path, tmp_path: Path) -> None:
    with opened(course, tmp_path, When.AT_ONCE) as made:
        made.submits_and_is_graded("ada")
        again = Giver(
            made.school.exchange.course,
            made.gradebook,
            made.school.exchange,
            Material(made.school.exchange.course),
            ("layers",),
        )
        assert again.owed() == []


def test_what_can_not_be_given_back_keeps_nobody_waiting(
    course: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(course, tmp_path, When.AT_ONCE) as made:
        for student in ("ada", "grace"):
            made.school.submit(student)
            made.school.grade(student=student)
        shutil.rmtree(course / "attempts" / "ada")
        made.later()
        assert made.points("ada") == [] and len(made.points("grace")) == 1
        assert "feedback of ada for layers was not given back" in caplog.text
        assert "grade the submission again" in caplog.text
        caplog.clear()
        made.later()
        assert "given back" not in caplog.text
