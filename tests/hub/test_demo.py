"""The main job, end to end, as `make demo` runs it: every mark is the one it must be."""

from __future__ import annotations

import csv
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.material import read_assignments
from course.reader import read_course
from hub.cli.demo import ATTACKS
from hub.demo.handins import STUDENTS, HandIn, hand_ins
from tests.hub.command import mlsys

pytestmark = [pytest.mark.slow, pytest.mark.lane, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    course_dir = tmp_path_factory.mktemp("demo") / "course"
    return course_dir, mlsys("demo", "--course-dir", course_dir)


@pytest.fixture(scope="module")
def handed() -> list[HandIn]:
    return hand_ins(read_assignments(read_course()), ATTACKS)


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def test_it_proves_every_assignment_and_ends_well(
    demo: tuple[Path, subprocess.CompletedProcess[str]], handed: list[HandIn]
) -> None:
    _, process = demo
    assert process.returncode == 0, process.stderr[-3000:]
    assert process.stderr.count("verified ") == 3
    assert f"all {len(handed)} submissions got the mark that they must get" in process.stderr
    assert "Traceback" not in process.stderr + process.stdout


def test_the_exported_marks_are_the_declared_ones(
    demo: tuple[Path, subprocess.CompletedProcess[str]], handed: list[HandIn]
) -> None:
    course_dir, _ = demo
    exported = {
        (row["student"], row["assignment"]): (row["points"], row["state"])
        for row in rows(course_dir / "exports" / "mlsys-grades.csv")
    }
    for each in handed:
        points, state = exported[each.student, each.assignment]
        assert float(points) == each.mark, f"{each.label}: {points}"
        assert state == ("unreadable" if each.label == "not a notebook" else "graded")
    assert len(exported) == len(handed) == 48


def test_the_wide_table_has_a_row_a_student(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    course_dir, _ = demo
    students = [row["student"] for row in rows(course_dir / "exports" / "mlsys-wide-table.csv")]
    assert sorted(students) == sorted(STUDENTS)


def test_every_submission_has_a_feedback_page_without_hidden_tests(
    demo: tuple[Path, subprocess.CompletedProcess[str]], handed: list[HandIn]
) -> None:
    course_dir, _ = demo
    course = read_course()
    hidden = {
        line.strip()
        for assignment in read_assignments(course)
        for line in (assignment.solutions / "hidden.py").read_text(encoding="utf-8").splitlines()
        if len(line.strip()) > 40 and not line.startswith("# %%")
    }
    visible = "".join(path.read_text(encoding="utf-8") for path in course.assignments_folder.rglob("*.py"))
    secret = {line for line in hidden if line not in visible}
    assert len(secret) > 100
    for each in handed:
        pages = list((course_dir / "feedback" / each.student / each.assignment).glob("*.html"))
        assert len(pages) == 1
        text = pages[0].read_text(encoding="utf-8")
        assert not [line for line in secret if line in text]


def test_the_gradebook_is_nbgraders_and_was_not_rewritten(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    course_dir, _ = demo
    connection = sqlite3.connect(course_dir / "gradebook.db")
    try:
        manual = connection.execute("SELECT COUNT(*) FROM grade WHERE manual_score IS NOT NULL").fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()
    assert manual == (0,)


def test_grading_again_finds_nothing_to_do(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    course_dir, _ = demo
    process = mlsys("autograde", "07-autograd", "--course-dir", course_dir)
    assert process.returncode == 0
    assert "nothing new to grade" in process.stderr


def test_the_release_holds_no_solution(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    course_dir, _ = demo
    for page in (course_dir / "release").rglob("*.ipynb"):
        text = page.read_text(encoding="utf-8")
        assert "HIDDEN TESTS" not in text
        assert "BEGIN SOLUTION" not in text
        assert "NotImplementedError" in text
