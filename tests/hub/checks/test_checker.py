"""Checking gives a student the grader's own words about visible checks, and nothing of hidden ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.errors import PlatformError
from autograder.gradebook.plain import plain
from autograder.judge import Court, Settings, Verdict, plan_notebook
from autograder.repair import repair
from course.assignment import Assignment
from course.compose import compose_source, compose_stub, compose_submission
from course.material import read_assignments
from course.notebook import check_cells, notebook_bytes
from course.reader import read_course
from course.release import release
from hub.checks import CheckReport, Report, check_notebook, check_room
from tests.hub.checks.conftest import ID, Released

Checking = Callable[[bytes], Report]

ABS = "def relu(x):\n    return abs(x)"  # wrong for negative input, which the visible check has
SHAPELESS = "def relu(x):\n    return np.maximum(x, 0) if np.ndim(x) < 3 else np.zeros(3)"  # only hidden checks see it


def checks(report: Report) -> dict[str, CheckReport]:
    return {check.id: check for question in report.questions for check in question.checks}


def texts(report: Report) -> str:
    return json.dumps(report.as_dict(), ensure_ascii=False)


def test_a_right_notebook_passes_and_no_points_are_promised(released: Released, check: Checking) -> None:
    report = check(released.written())
    assert report.all_passed and report.passed == 3
    assert report.summary == "3 of 3 visible checks passed. Hidden checks decide the points when you submit."
    assert [question.title for question in report.questions] == [
        q.title for q in released.assignment.questions
    ]
    assert [question.points for question in report.questions] == [60, 40]


def test_a_mistake_that_only_hidden_checks_see_passes_here(released: Released, check: Checking) -> None:
    assert check(released.written(relu=SHAPELESS)).all_passed


def test_a_stub_reads_the_stubs_own_words(released: Released, check: Checking) -> None:
    report = check(notebook_bytes(compose_stub(released.assignment)))
    assert report.passed == 0 and not report.all_passed and not report.fault
    assert "NotImplementedError: relu: return max(x, 0)" in checks(report)["check-relu"].message


@pytest.mark.parametrize("answer", [ABS, SHAPELESS, "def relu(x):\n    return x.nothing", "relu = 3"])
def test_the_words_are_those_of_the_feedback(
    released: Released, court: Court, check: Checking, answer: str
) -> None:
    data = released.written(relu=answer)
    source = compose_source(released.assignment)
    plan = plan_notebook(repair(source, data).notebook, source)
    graded = {each.check: each for each in court.judge(plan, Settings.of_source(source), b"secret").checks}
    for name, seen in checks(check(data)).items():
        if seen.verdict is not Verdict.OK:
            assert seen.verdict == graded[name].verdict
            assert seen.message == plain(graded[name].message)
    failed = [seen for seen in checks(check(data)).values() if seen.verdict is not Verdict.OK]
    assert failed or answer == SHAPELESS


def test_an_endless_loop_costs_its_check_alone(released: Released, check: Checking) -> None:
    loop = "class Unit:\n    def __init__(self, slope): pass\n    def __call__(self, x):\n        while True: pass"
    found = checks(check(released.written(unit=loop)))
    assert found["check-unit"].verdict is Verdict.TIMEOUT
    assert found["check-relu"].verdict is Verdict.OK


def test_a_cell_that_ends_the_process_or_fails_is_named(released: Released, check: Checking) -> None:
    report = check(released.written("import os; os._exit(3)", "1 / 0", relu="1 / 0\n" + ABS))
    assert report.cells[0].words == "Ended the Python process"
    assert "ZeroDivisionError" in report.cells[1].text
    assert report.cells[2].id == "relu" and report.cells[2].title == "The rectifier"


def test_floods_are_cut_and_control_characters_taken_out(released: Released, check: Checking) -> None:
    flood = "print('x' * 50_000_000)"
    loud = (
        "def relu(x):\n    raise ValueError('<script>alert(1)</script>\\x1b[31m\\u202e' + 'y' * 10_000_000)"
    )
    report = check(released.written(flood, relu=loud))
    assert len(texts(report)) < 40_000
    assert "<script>" in checks(report)["check-relu"].message  # text; whoever shows it escapes it
    assert "\\u001b" not in json.dumps(report.as_dict()) and "\u202e" not in texts(report)


def test_what_is_no_notebook_is_a_problem_in_words(check: Checking) -> None:
    report = check(b'{"cells": [')
    assert "not valid JSON" in report.problem and report.summary == report.problem
    assert not report.all_passed and report.questions == ()


def test_a_damaged_notebook_is_repaired_and_says_so(released: Released, check: Checking) -> None:
    notebook = released.notebook()
    cell = check_cells(notebook)["check-relu"]
    cell.source = "assert True"
    report = check(notebook_bytes(notebook))
    assert any("had been changed" in sentence for sentence in report.repairs)
    cell.source = "assert False"
    assert check(notebook_bytes(notebook)).all_passed


def test_a_notebook_under_another_name_is_found(released: Released, court: Court) -> None:
    report = check_notebook(released.room(), court, "relu(1).ipynb", released.written())
    assert report.notebook == "relu" and report.all_passed


def test_a_check_that_is_not_in_the_release_is_only_listed(released: Released, court: Court) -> None:
    room = released.room()
    notebook = room.released["relu"]
    notebook.cells = [cell for cell in notebook.cells if "relu-shape" not in str(cell.metadata)]
    check_cells(notebook)["check-unit"].source = "# Think of the slope."
    report = check_notebook(room, court, "relu.ipynb", released.written(relu=ABS, unit="Unit = None"))
    assert [c.verdict for c in checks(report).values()] == [Verdict.WRONG, None, None]
    assert checks(report)["check-unit"].words == "Hidden: judged when you submit"


def test_a_check_runs_as_it_was_released(released: Released, court: Court) -> None:
    room = released.room()
    check_cells(room.released["relu"])[
        "check-relu"
    ].source = "assert relu(np.array([1.0])) == 2, 'as released'"
    report = check_notebook(room, court, "relu.ipynb", released.written())
    assert "as released" in checks(report)["check-relu"].message


def test_the_platforms_fault_is_no_verdict(released: Released) -> None:
    report = check_notebook(released.room(), Court(), "relu.ipynb", released.written())  # never started
    assert report.fault and not report.all_passed and report.questions == ()
    assert "no fault of yours" in report.summary


def test_nothing_is_checked_before_the_release(released: Released, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="mlsys release 01-relu"):
        check_room(released.course, tmp_path, ID)


def test_a_student_who_went_away_ends_the_check(released: Released, court: Court) -> None:
    class Gone(Exception):
        pass

    def gone(done: int, of: int) -> None:
        raise Gone

    with pytest.raises(Gone):
        check_notebook(released.room(), court, "relu.ipynb", released.written(), gone)


SPY = """
import gc, sys, os, traceback
def relu(x):
    seen = [repr(each)[:2000] for each in gc.get_objects() if isinstance(each, (str, dict, list, tuple))]
    frames = "".join(traceback.format_stack())
    raise ValueError(" ".join(each for each in seen if "TESTS" in each or "hidden" in each)[:3000] + frames)
"""


def secret_lines(assignment: Assignment) -> Iterator[str]:
    """Lines of hidden tests and of the solution that students have nowhere."""
    visible = "".join(path.read_text(encoding="utf-8") for path in assignment.folder.glob("*.py"))
    for name in ("hidden.py", "solution.py"):
        for line in (assignment.solutions / name).read_text(encoding="utf-8").splitlines():
            if len(line.strip()) > 30 and not line.startswith("#") and line.strip() not in visible:
                yield line.strip()


def test_a_spy_finds_nothing_hidden(released: Released, check: Checking) -> None:
    answer = texts(check(released.written(relu=SPY)))
    assert "ValueError" in answer
    secret = list(secret_lines(released.assignment))
    assert secret and not [line for line in secret if line in answer]


@pytest.mark.slow
def test_no_answer_of_the_course_holds_a_hidden_line(court: Court, tmp_path: Path) -> None:
    course = read_course()
    release(course, tmp_path)
    for assignment in read_assignments(course):
        room = check_room(course, tmp_path, assignment.id)
        secret = list(secret_lines(assignment))
        assert len(secret) > 40
        notebooks = [
            compose_stub(assignment),
            *(compose_submission(assignment, each) for each in assignment.wrong),
        ]
        for notebook in notebooks:
            report = check_notebook(room, court, f"{assignment.notebook}.ipynb", notebook_bytes(notebook))
            assert not report.fault
            own = "\n".join(cell.source for cell in notebook.cells)
            answer = "\n".join(check.message for check in checks(report).values()) + texts(report)
            assert not [line for line in secret if line in answer and line not in own]
