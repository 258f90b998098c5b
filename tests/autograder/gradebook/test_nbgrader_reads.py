"""The stock nbgrader reads what we wrote: its API, its export, its feedback."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.gradebook import State, read_standings, take_in
from autograder.judge import Verdict
from course.gradebook import gradebook_url
from tests.autograder.conftest import nbgrader
from tests.autograder.gradebook.gradings import DUE, grading, open_gradebook, printed, result

ASK = """
import json
import sys
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
api = NbGraderAPI(coursedir=CourseDirectory(root=".", db_url=sys.argv[1]))
print(json.dumps({
    "submissions": api.get_submissions("layers"),
    "notebooks": api.get_notebook_submissions("layers", "layers"),
    "student": api.get_student_submissions("ada"),
    "assignment": api.get_assignment("layers"),
    "assignments": api.get_assignments(),
    "chapters": api.get_notebooks("layers"),
    "students": api.get_students(),
    "parts": api.get_student_notebook_submissions("ada", "layers"),
}, default=str))
with api.gradebook as book:
    assert len(book.submission_dicts("layers")) == len(book.notebook_submission_dicts("layers", "layers")) == 2
    for kind in ("", "_code", "_written", "_task"):
        getattr(book, f"average_assignment{kind}_score")("layers")
        getattr(book, f"average_notebook{kind}_score")("layers", "layers")
"""


@pytest.fixture
def graded(course: Path) -> Path:
    for student, minutes in (("ada", 5), ("bob", 0)):
        at = DUE + timedelta(minutes=minutes)
        take_in(course, student, "layers", {"layers.ipynb": b"{}"}, clock=lambda at=at: at)  # type: ignore[misc]
    with open_gradebook(course) as book:
        judged = result(
            Verdict.OK, Verdict.WRONG, Verdict.OK, points={"check-layer": 4.5}, cells=(printed(2, "hi"),)
        )
        book.record_attempt(grading(judged, minutes=5, penalty=1.0))
        book.record_attempt(grading(problem="layers.ipynb is empty.", student="bob"))
    return course


@pytest.mark.slow
def test_the_formgraders_api_shows_our_grades(graded: Path) -> None:
    command = [sys.executable, "-c", ASK, gradebook_url(graded)]
    done = subprocess.run(command, cwd=graded, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    ada, bob = sorted(told["submissions"], key=lambda each: each["student"])
    assert (ada["score"], ada["max_score"], ada["needs_manual_grade"]) == (8.5, 15, True)
    assert (ada["autograded"], bob["autograded"]) == (True, True)
    assert (bob["score"], bob["needs_manual_grade"]) == (0, False)
    assert sorted(each["student"] for each in told["notebooks"]) == ["ada", "bob"]
    assert told["assignment"]["num_submissions"] == 2
    assert told["student"][0]["score"] == 8.5
    assert {each["id"]: each["score"] for each in told["students"]} == {"ada": 8.5, "bob": 0}
    assert [each["average_score"] for each in (*told["assignments"], *told["chapters"])] == [4.25, 4.25]
    assert told["parts"][0]["score"] == 8.5


@pytest.mark.slow
def test_nbgraders_own_export_has_our_grades(graded: Path) -> None:
    nbgrader(graded, "export", "--to", "grades.csv")
    with (graded / "grades.csv").open() as file:
        ada, bob = csv.DictReader(file)
    assert (ada["student_id"], ada["raw_score"], ada["score"]) == ("ada", "8.5", "7.5")
    assert ada["timestamp"] == "2026-09-01 12:05:00"
    assert (bob["student_id"], bob["score"]) == ("bob", "0.0")


@pytest.mark.slow
def test_nbgraders_own_feedback_reads_our_notebooks(graded: Path) -> None:
    nbgrader(graded, "generate_feedback", "layers")
    page = (graded / "feedback/ada/layers/layers.html").read_text()
    assert "Words about check-relu-zero." in page
    assert "7.5" in page


@pytest.mark.slow
def test_nbgraders_own_commands_write_beside_us(graded: Path) -> None:
    nbgrader(graded, "db", "student", "add", "zoe", "--first-name=Zoe")
    nbgrader(graded, "generate_assignment", "layers", "--force")
    with open_gradebook(graded) as book:
        states = {each.student: each.state for each in read_standings(book)}
    assert states == {"ada": State.PENDING, "bob": State.UNREADABLE, "zoe": State.MISSING}
