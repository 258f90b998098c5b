"""Where the best attempt counts, one that came in earlier and was never judged may be the best."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.gradebook import take_in
from course.compose import compose_stub, compose_submission
from course.material import read_assignment
from course.notebook import notebook_bytes
from course.reader import read_course
from course.records import Counts
from course.release import release
from hub.coursework import entry_of, open_gradebook
from tests.hub.command import mlsys

ID = "07-autograd"


@pytest.mark.slow
def test_the_best_of_two_submissions_is_the_grade(tmp_path: Path) -> None:
    course = read_course()
    assert entry_of(course, ID).attempts.counts is Counts.BEST
    release(course, tmp_path / "course", (ID,))
    assignment = read_assignment(course, ID)
    for hour, notebook in enumerate((compose_submission(assignment), compose_stub(assignment))):
        files = {f"{assignment.notebook}.ipynb": notebook_bytes(notebook)}
        clock = datetime(2027, 2, 20, hour, tzinfo=UTC)
        take_in(tmp_path / "course", "ama", ID, files, clock=lambda at=clock: at)  # type: ignore[misc]
    process = mlsys("autograde", ID, "--json", "--course-dir", tmp_path / "course")
    assert json.loads(process.stdout.splitlines()[0])["jobs"] == 2
    with open_gradebook(tmp_path / "course") as gradebook:
        counting = gradebook.counting_attempt("ama", ID)
    assert counting is not None
    assert counting.points == 100
    again = mlsys("autograde", ID, "--json", "--course-dir", tmp_path / "course")
    assert json.loads(again.stdout.splitlines()[0])["jobs"] == 0
