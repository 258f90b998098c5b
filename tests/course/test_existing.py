from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from course.assignment import Existing
from course.compose import compose_release, compose_source, compose_submission, reference
from course.notebook import grading, parse_notebook, solve_cells
from tests.course.notebooks import instructors_notebook
from tests.course.sample import Sample

PLACES = ["assignments/01-relu/squares.ipynb", "solutions/01-relu/squares.ipynb"]
NAME = PLACES[1]


@pytest.fixture
def existing(sample: Sample) -> Sample:
    for folder in ("assignments", "solutions"):
        for path in sorted((sample.root / folder / "01-relu").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    return sample


@pytest.mark.parametrize("name", PLACES)
def test_a_notebook_is_used_as_it_is(existing: Sample, name: str) -> None:
    existing.write(name, instructors_notebook())
    assignment = existing.assignment
    assert isinstance(assignment.content, Existing)
    assert (assignment.notebook, assignment.title, assignment.points) == ("squares", "01-relu", 2)
    assert [(question.id, question.points) for question in assignment.questions] == [
        ("squares", 1.5),
        ("total", 0.5),
    ]
    source, original = compose_source(assignment), parse_notebook(instructors_notebook().decode())
    assert source.cells == original.cells
    assert source.metadata["mlsys"]["limits"]["memory_mb"] == 512


def test_students_get_nbgraders_stub(existing: Sample) -> None:
    existing.write(NAME, instructors_notebook())
    cells = compose_release(existing.assignment).cells
    assert cells[1].source.endswith('n."""\n    # YOUR CODE HERE\n    raise NotImplementedError()')
    assert cells[3].source == "assert squares(1) == [1]"
    assert cells[4].source == "# YOUR CODE HERE\nraise NotImplementedError()"


def test_the_reference_has_no_markers(existing: Sample) -> None:
    existing.write(NAME, instructors_notebook())
    answers = reference(existing.assignment)
    assert "BEGIN" not in answers["squares"]
    assert answers["total"] == "total = sum(squares(4))"
    filled = solve_cells(compose_submission(existing.assignment))
    assert filled["squares"].source == answers["squares"]


def test_it_may_have_an_assignment_toml_and_variants(existing: Sample) -> None:
    existing.write(NAME, instructors_notebook())
    existing.write(
        "assignments/01-relu/assignment.toml",
        'title = "Squares"\nsummary = "Squares of numbers."\nminutes = 20\n[limits]\nmemory_mb = 256\n',
    )
    existing.write(
        "solutions/01-relu/wrong/off_by_one.py",
        '# mistake = "stops early"\n# changes = ["squares", "total"]\n# mark = 0\n\n'
        '# %% solve="squares"\ndef squares(n):\n    return [i * i for i in range(1, n)]\n',
    )
    assignment = existing.assignment
    assert (assignment.title, assignment.limits.memory_mb) == ("Squares", 256)
    assert list(assignment.wrong[0].answers) == ["squares"]


Change = Callable[[dict[str, Any]], None]


def cell(index: int, **marks: object) -> Change:
    return lambda notebook: notebook["cells"][index]["metadata"]["nbgrader"].update(marks)


def drop(index: int, key: str) -> Change:
    return lambda notebook: notebook["cells"][index]["metadata"]["nbgrader"].pop(key)


def source(index: int, old: str, new: str) -> Change:
    def change(notebook: dict[str, Any]) -> None:
        lines = notebook["cells"][index]["source"]
        notebook["cells"][index]["source"] = [line.replace(old, new) for line in lines]

    return change


ERRORS = [
    (source(3, "BEGIN HIDDEN", "BEGIN HIDEN"), "BEGIN HIDEN TESTS", "did you mean '### BEGIN HIDDEN TESTS'"),
    (source(3, "### END HIDDEN TESTS", "pass"), "BEGIN HIDDEN TESTS", "without an 'END HIDDEN TESTS'"),
    (source(1, "### BEGIN SOLUTION", "pass"), "END SOLUTION", "without a 'BEGIN SOLUTION'"),
    (source(1, "if n < 1:", "### BEGIN HIDDEN TESTS"), "BEGIN HIDDEN TESTS", "inside the region"),
    (cell(1, solution=False), "if n < 1:", "a SOLUTION region outside a solution cell"),
    (cell(3, grade=False), "assert squares(3)", "a HIDDEN TESTS region outside an 'Autograder tests' cell"),
    (cell(3, schema_version=2), "assert squares(1)", "schema 2, not 3"),
    (cell(3, points="many"), "assert squares(1)", "points must be a number"),
    (cell(3, grade_id=""), "assert squares(1)", "without a grade_id"),
    (drop(3, "locked"), "assert squares(1)", "lacks ['locked']"),
    (drop(3, "points"), "assert squares(1)", "points must be a number"),
    (cell(5, grade_id="correct_squares"), None, "stands twice"),
]


@pytest.mark.parametrize(("change", "at", "words"), ERRORS)
def test_an_error_in_a_notebook_is_named_with_its_line(
    existing: Sample, change: Change, at: str | None, words: str
) -> None:
    notebook = json.loads(instructors_notebook())
    change(notebook)
    text = json.dumps(notebook, indent=1)
    existing.write(NAME, text)
    where = text.index(at) if at else text.rindex("correct_squares")
    existing.refused(NAME, text[:where].count("\n") + 1, words)


BROKEN = [
    ("", "not JSON"),
    ("[]", "not a notebook of format 4"),
    ('{"nbformat": 3, "worksheets": []}', "not a notebook of format 4"),
    ('{"nbformat": 4, "nbformat_minor": 5, "cells": 3, "metadata": {}}', "not a valid notebook"),
    ('{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": {}}', "no graded test cell"),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_what_is_no_notebook_is_refused(existing: Sample, text: str, words: str) -> None:
    existing.write(NAME, text)
    existing.refused(NAME, 1, words)


def test_only_python_can_be_judged(existing: Sample) -> None:
    notebook = json.loads(instructors_notebook())
    notebook["metadata"]["kernelspec"]["language"] = "R"
    existing.write(NAME, json.dumps(notebook))
    existing.refused(NAME, 1, "a notebook in R")


def test_one_notebook_is_one_assignment(existing: Sample) -> None:
    for name in PLACES:
        existing.write(name, instructors_notebook())
    existing.refused(PLACES[1], 1, "is the assignment already")


def test_schema_3_marks_survive(existing: Sample) -> None:
    existing.write(NAME, instructors_notebook())
    marks = grading(compose_release(existing.assignment).cells[3])
    assert (marks["points"], marks["grade_id"]) == (1.5, "correct_squares")


def test_cells_without_ids_get_the_same_ones_every_time(existing: Sample) -> None:
    notebook = json.loads(instructors_notebook())
    for each in notebook["cells"]:
        del each["id"]
    existing.write(NAME, json.dumps(notebook))
    cells = compose_source(existing.assignment).cells
    assert [each["id"] for each in cells[:2]] == ["cell-0", "cell-1"]
    assert cells == compose_source(existing.assignment).cells
