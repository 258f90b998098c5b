"""A summary says what the feedback page says, and comes back from its file as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader import api
from sqlalchemy import select

from autograder.errors import PlatformError
from autograder.gradebook.feedback import write_feedback
from autograder.gradebook.summary import FILE, Summary, read_summary, write_summary
from autograder.judge import CheckResult, NotebookResult, RaceResult, Verdict
from tests.autograder.gradebook.gradings import grading, open_gradebook, result

OK, WRONG = Verdict.OK, Verdict.WRONG


def summary(course: Path) -> Summary:
    return read_summary((course / "feedback" / "ada" / "layers" / FILE).read_bytes())


def test_it_has_points_and_messages_and_says_that_a_person_has_still_to_grade(course: Path) -> None:
    with open_gradebook(course) as book:
        book.record_attempt(grading(result(OK, WRONG, OK), penalty=1.0, late_seconds=60.0))
        write_feedback(book, "ada", "layers", titles={"relu": "The rectifier"})
    found = summary(course)
    assert (found.points, found.max_points, found.waits, found.penalty) == (9, 15, True, 1)
    (notebook,) = found.notebooks
    assert [each.title for each in notebook.questions] == ["The rectifier", "layer"]
    assert notebook.questions[0].checks[1].message == "Words about check-relu-zero."
    assert notebook.usage.peak_bytes == 300 << 20
    assert [each.points for each in notebook.manual] == [None]
    assert found.by_hand == 0


def test_what_a_person_gave_in_the_formgrader_is_told_apart(course: Path) -> None:
    with open_gradebook(course) as book:
        book.record_attempt(grading(result(OK, OK, OK)))
        with book.database.writing() as session:
            session.scalars(select(api.Grade)).first().extra_credit = 0.5  # type: ignore[union-attr]
        write_feedback(book, "ada", "layers")
    assert summary(course).by_hand == 0.5


def test_a_race_comes_back_as_it_was(course: Path) -> None:
    race = RaceResult(0.8, 0.7, 0.9, 12, True)
    checks = (CheckResult("check-relu", "relu", OK, 4, 4, race=race), *result().checks[1:])
    with open_gradebook(course) as book:
        book.record_attempt(grading(NotebookResult(checks)))
        write_feedback(book, "ada", "layers")
    found = summary(course)
    chart = found.notebooks[0].questions[0].checks[0].chart
    assert chart is not None
    assert chart.ticks[0].label == "1"
    assert read_summary(write_summary(found).encode()) == found


def test_a_fault_has_no_points(course: Path) -> None:
    with open_gradebook(course) as book:
        book.record_attempt(grading(None, fault="no box started in /srv/secret"))
        write_feedback(book, "ada", "layers")
    assert summary(course).points is None
    assert "/srv/secret" not in (course / "feedback" / "ada" / "layers" / FILE).read_text()


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"version": 2}', b'{"version": 1}'])
def test_what_is_no_summary_is_an_error(data: bytes) -> None:
    with pytest.raises(PlatformError, match="give the feedback back again"):
        read_summary(data)
