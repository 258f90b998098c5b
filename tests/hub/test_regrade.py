"""autograde and regrade as scripts read them: records in order, and a stop that loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.gradebook import read_standings, take_in
from course.compose import compose_stub
from course.material import read_assignment
from course.notebook import notebook_bytes
from course.reader import read_course
from course.release import release
from hub.coursework import open_gradebook
from tests.hub.command import ROOT, mlsys

pytestmark = pytest.mark.slow
ID, STUDENTS = "07-autograd", tuple(f"s{number}" for number in range(8))


@pytest.fixture(scope="module")
def course_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bare stubs of eight students, each with a cell of its own."""
    folder, course = tmp_path_factory.mktemp("regrade") / "course", read_course()
    release(course, folder, (ID,))
    assignment = read_assignment(course, ID)
    for student in STUDENTS:
        notebook = compose_stub(assignment)
        notebook.cells[0].source += f"\n{student}"
        files = {f"{assignment.notebook}.ipynb": notebook_bytes(notebook)}
        take_in(folder, student, ID, files, clock=lambda: datetime(2027, 2, 20, tzinfo=UTC))
    return folder


def test_a_stopped_grading_keeps_what_it_did_and_the_next_does_the_rest(course_dir: Path) -> None:
    command = [sys.executable, "-m", "hub.cli.app", "autograde", ID, "--json", "--workers", "1"]
    environment = {**os.environ, "MLSYS_COURSE_DIR": str(course_dir)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        records = []
        for line in process.stdout:
            records.append(json.loads(line))
            if len(records) == 2:
                process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert records[0] == {"event": "found", "assignment": ID, "jobs": len(STUDENTS)}
    graded = [each["student"] for each in records if each["event"] == "attempt"]
    assert records[-1] == {"event": "done", "graded": len(graded), "faults": 0, "stopped": True}
    assert 0 < len(graded) < len(STUDENTS)
    with open_gradebook(course_dir) as gradebook:
        assert sorted(each.student for each in read_standings(gradebook)) == sorted(graded)
    rest = [
        json.loads(line)
        for line in mlsys("autograde", ID, "--json", "--course-dir", course_dir).stdout.splitlines()
    ]
    assert rest[0]["jobs"] == len(STUDENTS) - len(graded)


def test_regrade_says_whose_points_changed(course_dir: Path) -> None:
    mlsys("autograde", ID, "--course-dir", course_dir)
    same = mlsys("regrade", ID, "--student", "s1", "--course-dir", course_dir)
    assert same.returncode == 0
    assert "0 up, 0 down, 1 unchanged" in same.stderr
    with open_gradebook(course_dir) as gradebook, gradebook.database.writing() as session:
        from nbgrader import api

        for grade in session.query(api.Grade).limit(3):
            grade.auto_score = 1.0
        # What counts is written anew only for a new attempt.
    for words in (("--dry-run",), ("--publish", "--reason", "somebody has written into the database")):
        process = mlsys("regrade", ID, "--json", *words, "--course-dir", course_dir)
        records = [json.loads(line) for line in process.stdout.splitlines()]
        changed = [each for each in records if each["event"] == "changed"]
        assert changed and all(each["before"] > each["after"] == 0 for each in changed)
        assert records[-1]["event"] == "done"
    with open_gradebook(course_dir) as gradebook:
        assert {each.points for each in read_standings(gradebook)} == {0}
