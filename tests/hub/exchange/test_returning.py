"""Feedback is given back for the attempt that it is of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook as NbgraderGradebook

from autograder.gradebook import Policy, take_in
from autograder.gradebook.feedback import write_feedback
from autograder.judge import Verdict
from course.gradebook import gradebook_url
from hub.cli.exchange import final_ones
from hub.exchange.returning import feedback_of, students_with_feedback
from tests.autograder.conftest import course, released_course
from tests.autograder.gradebook.gradings import grading, open_gradebook, result

__all__ = ["course", "released_course"]

OK, WRONG = Verdict.OK, Verdict.WRONG


@pytest.mark.slow
def test_feedback_is_final_where_the_newest_attempt_counts_and_nobody_is_waited_for(course: Path) -> None:
    with open_gradebook(course) as gradebook:
        assert feedback_of(course, gradebook, "ada", "layers") is None
        first = gradebook.record_attempt(grading(result(OK, OK, OK)), Policy.BEST)
        write_feedback(gradebook, "ada", "layers")
        found = feedback_of(course, gradebook, "ada", "layers")
        assert found is not None
        assert (found.attempt, found.sha256) == (1, first.sha256)
        assert set(found.files) == {"layers.html", "result.json"}
        assert list(students_with_feedback(course, "layers")) == ["ada"]
        assert final_ones(course, [found]) == []
        mark(course)
        assert final_ones(course, [found]) == [found]

        gradebook.record_attempt(grading(result(WRONG, WRONG, WRONG), minutes=5), Policy.BEST)
        write_feedback(gradebook, "ada", "layers")
        newest = feedback_of(course, gradebook, "ada", "layers")
        assert newest is not None
        assert newest.attempt == 2
        assert final_ones(course, [newest]) == []


def mark(course: Path) -> None:
    """A person grades the answer that no check judges."""
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        grade = theirs.find_grade("why", "layers", "layers", "ada")
        grade.manual_score, grade.needs_manual_grade = 2.5, False
        theirs.db.commit()


@pytest.mark.slow
def test_where_stock_nbgrader_graded_the_newest_submission_is_meant(course: Path) -> None:
    receipt = take_in(course, "bob", "layers", {"layers.ipynb": b"{}"}, clock=lambda: datetime.now(UTC))
    pages = course / "feedback" / "bob" / "layers"
    pages.mkdir(parents=True)
    (pages / "layers.html").write_text("<p>9</p>")
    (pages / "timestamp.txt").write_text("2026")
    with open_gradebook(course) as gradebook:
        found = feedback_of(course, gradebook, "bob", "layers")
    assert found is not None
    assert (found.attempt, found.sha256, set(found.files)) == (0, receipt.sha256, {"layers.html"})
