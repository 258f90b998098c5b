"""A summary says what the feedback page says, and comes back from its file as it was."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from nbgrader import api
from sqlalchemy import select

from autograder.errors import PlatformError
from autograder.gradebook.charts import draw
from autograder.gradebook.feedback import write_feedback
from autograder.gradebook.summary import FILE, Summary, read_summary, write_summary
from autograder.judge import CheckResult, NotebookResult, RaceKind, RaceResult, Verdict
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


@pytest.mark.parametrize("kind", RaceKind)
def test_a_race_comes_back_as_it_was(course: Path, kind: RaceKind) -> None:
    race = RaceResult(0.8, 0.7, 0.9, 12, False, ((100.0, 90.0),) * 12, kind, ((0.5, 2.0),), overhead=0.1)
    checks = (CheckResult("check-relu", "relu", OK, 4, 4, race=race), *result().checks[1:])
    with open_gradebook(course) as book:
        book.record_attempt(grading(NotebookResult(checks)))
        write_feedback(book, "ada", "layers")
    found = summary(course)
    chart = found.notebooks[0].questions[0].checks[0].chart
    assert chart == draw(race)
    assert read_summary(write_summary(found).encode()) == found


OLD_CHART = {
    "low": 90.1,
    "high": 120.2,
    "ratio": 100.0,
    "sentence": "Your code runs at 0.8 times",
    "ticks": [],
}


def raced(course: Path, chart: dict[str, Any], **fields: Any) -> bytes:
    """A summary as JSON, whose first check has this chart."""
    with open_gradebook(course) as book:
        book.record_attempt(grading(result()))
        write_feedback(book, "ada", "layers")
    found = {**json.loads((course / "feedback" / "ada" / "layers" / FILE).read_bytes()), **fields}
    found["notebooks"][0]["questions"][0]["checks"][0]["chart"] = chart
    return json.dumps(found).encode()


def test_of_a_summary_of_before_the_charts_sentence_is_kept(course: Path) -> None:
    found = read_summary(raced(course, OLD_CHART, version=1))
    check = found.notebooks[0].questions[0].checks[0]
    assert (check.chart, check.message) == (None, "Your code runs at 0.8 times")


@pytest.mark.parametrize(
    "change",
    [
        {"dots": [{"look": "ratio", "x": '1" onload=', "y": 0, "radius": 1}]},
        {"dots": [{"look": "ratio", "x": math.nan, "y": 0, "radius": 1}]},
        {"areas": [{"look": "evil", "places": []}]},
        {"lines": [{"look": "axis", "places": [[1, 2, 3]]}]},
        {"width": None},
        {"labels": 3},
    ],
)
def test_a_chart_that_is_none_is_an_error(course: Path, change: dict[str, Any]) -> None:
    chart = {**asdict(draw(RaceResult(0.8, 0.7, 0.9, 12, True))), **change}
    with pytest.raises(PlatformError, match="give the feedback back again"):
        read_summary(raced(course, chart))


def test_a_fault_has_no_points(course: Path) -> None:
    with open_gradebook(course) as book:
        book.record_attempt(grading(None, fault="no box started in /srv/secret"))
        write_feedback(book, "ada", "layers")
    assert summary(course).points is None
    assert "/srv/secret" not in (course / "feedback" / "ada" / "layers" / FILE).read_text()


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"version": 3}', b'{"version": 1}'])
def test_what_is_no_summary_is_an_error(data: bytes) -> None:
    with pytest.raises(PlatformError, match="give the feedback back again"):
        read_summary(data)
