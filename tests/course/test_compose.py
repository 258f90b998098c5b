from __future__ import annotations

import os
import subprocess
import sys

import nbformat
import pytest

from course.compose import (
    compose_release,
    compose_source,
    compose_stub,
    compose_submission,
    reference,
    restore,
)
from course.notebook import check_cells, grade_id, grading, notebook_bytes, parse_notebook, solve_cells
from tests.course.sample import SCRIPT, Sample


def test_a_source_has_the_marks_that_nbgrader_and_the_judge_read(sample: Sample) -> None:
    cells = compose_source(sample.assignment).cells
    assert [grade_id(cell) for cell in cells] == [
        "", "given-1", "relu", "check-relu", "check-relu-shape", "unit", "check-unit",
    ]  # fmt: skip
    given, solve, check = (grading(cell) for cell in cells[1:4])
    assert (given["grade"], given["solution"], given["locked"]) == (False, False, True)
    assert (solve["grade"], solve["solution"], solve["locked"]) == (False, True, False)
    assert (check["grade"], check["solution"], check["locked"], check["points"]) == (True, False, True, 20)
    assert cells[4].metadata["mlsys"] == {"question": "relu"}


def test_a_speed_check_is_marked(sample: Sample) -> None:
    sample.edit(SCRIPT, "points=20", "points=20 speed=true")
    assert compose_source(sample.assignment).cells[3].metadata["mlsys"] == {"question": "relu", "speed": True}


def test_a_source_cell_holds_both_parts_between_markers(sample: Sample) -> None:
    cells = compose_source(sample.assignment).cells
    assert cells[2].source.split("\n")[2:6] == [
        '    raise NotImplementedError("relu: return max(x, 0)")',
        "### BEGIN SOLUTION",
        "def relu(x):",
        "    mask = np.asarray(x) > 0",
    ]
    assert cells[4].source.split("\n")[1] == "### BEGIN HIDDEN TESTS"


def test_the_notebook_says_how_it_is_judged(sample: Sample) -> None:
    metadata = compose_source(sample.assignment).metadata
    assert metadata["kernelspec"]["name"] == "python3"
    assert metadata["mlsys"]["version"] == 1
    assert (metadata["mlsys"]["opaque"], metadata["mlsys"]["hide"]) == (["Unit"], ["torch"])


def test_a_student_gets_stub_and_visible_part_only(sample: Sample) -> None:
    text = notebook_bytes(compose_release(sample.assignment)).decode()
    assert "NotImplementedError" in text
    for secret in ("hidden_input", "mask", "self.slope * x", "BEGIN", "END"):
        assert secret not in text


def test_a_submission_differs_from_the_release_in_its_answers_only(sample: Sample) -> None:
    assignment = sample.assignment
    submission, release = compose_submission(assignment, assignment.wrong[0]), compose_release(assignment)
    changed = [grade_id(one) for one, two in zip(submission.cells, release.cells, strict=True) if one != two]
    assert changed == ["relu", "unit"]
    assert "np.abs" in solve_cells(submission)["relu"].source
    assert solve_cells(submission)["unit"].source == reference(assignment)["unit"]


def test_the_stub_is_the_release(sample: Sample) -> None:
    assert compose_stub(sample.assignment) == compose_release(sample.assignment)


def test_restoring_puts_hidden_tests_back_and_keeps_answers(sample: Sample) -> None:
    assignment = sample.assignment
    submission, source = compose_submission(assignment), compose_source(assignment)
    restored = restore(submission, source)
    assert {name: cell.source for name, cell in check_cells(restored).items()} == {
        name: cell.source for name, cell in check_cells(source).items()
    }
    assert solve_cells(restored)["relu"].source == reference(assignment)["relu"]
    assert "hidden_input" not in notebook_bytes(submission).decode()


def test_every_composed_notebook_is_valid_and_reads_back(sample: Sample) -> None:
    assignment = sample.assignment
    for notebook in (compose_source(assignment), compose_release(assignment), compose_submission(assignment)):
        nbformat.validate(notebook)
        assert notebook_bytes(parse_notebook(notebook_bytes(notebook).decode())) == notebook_bytes(notebook)


PRINT_DIGEST = """
import hashlib, sys
from pathlib import Path
from course.compose import compose_source
from course.material import read_assignment
from course.notebook import notebook_bytes
from course.reader import read_course
assignment = read_assignment(read_course(Path(sys.argv[1])), "01-relu")
print(hashlib.sha256(notebook_bytes(compose_source(assignment))).hexdigest())
"""


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes_in_every_process(sample: Sample) -> None:
    digests = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST, str(sample.root / "course/course.toml")],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
