"""Outputs of test cells, and the marks that the stock nbgrader reads from them."""

from __future__ import annotations

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.notebooknode import NotebookNode
from nbgrader.utils import determine_grade

from autograder.errors import PlatformError
from autograder.gradebook import with_outputs
from autograder.judge import CellResult, CheckResult, NotebookResult, Verdict
from autograder.repair import repair
from tests.autograder.gradebook.gradings import printed, result
from tests.autograder.notebooks import cell_of, right, two_questions

REPAIRED = repair(two_questions(), right(two_questions())).notebook


def marked(judged: NotebookResult) -> NotebookNode:
    return with_outputs(REPAIRED, judged)


def mark(judged: NotebookResult, check: str = "check-relu") -> float | None:
    points, _ = determine_grade(cell_of(marked(judged), check))
    return None if points is None else float(points)


def test_a_passed_check_has_no_output_and_full_marks() -> None:
    assert cell_of(marked(result()), "check-relu").outputs == []
    assert mark(result()) == 4


@pytest.mark.parametrize("verdict", [v for v in Verdict if v not in (Verdict.OK, Verdict.FAULT)])
def test_a_failed_check_says_only_its_message(verdict: Verdict) -> None:
    judged = result(verdict, Verdict.OK, Verdict.OK)
    (output,) = cell_of(marked(judged), "check-relu").outputs
    assert (output.output_type, output.evalue) == ("error", "Words about check-relu.")
    assert len(output.traceback) == 1 and output.traceback[0].endswith(": Words about check-relu.")
    assert mark(judged) == 0


@given(
    st.floats(0, 4), st.sampled_from([Verdict.OK, Verdict.WRONG]), st.sampled_from(["", "9", "Well done."])
)
def test_nbgrader_reads_exactly_the_points(points: float, verdict: Verdict, message: str) -> None:
    checks = result().checks
    first = CheckResult("check-relu", "relu", verdict, points, 4.0, message)
    assert mark(NotebookResult((first, *checks[1:]))) == points


def test_a_check_worth_nothing_can_still_fail() -> None:
    checks = result().checks
    judged = NotebookResult((CheckResult("check-relu", "relu", Verdict.WRONG, 0, 0, "No."), *checks[1:]))
    assert cell_of(marked(judged), "check-relu").outputs[0].output_type == "error"


@pytest.mark.parametrize("points", [-1.0, 4.5, float("nan")])
def test_points_that_are_no_mark_are_refused(points: float) -> None:
    with pytest.raises(PlatformError, match="no mark"):
        marked(result(points={"check-relu": points}))


def test_a_check_without_a_result_is_no_mark() -> None:
    with pytest.raises(PlatformError, match="check-relu-zero was not judged"):
        marked(NotebookResult(result().checks[:1]))
    with pytest.raises(PlatformError, match="check-relu was not judged"):
        marked(result(Verdict.FAULT, Verdict.OK, Verdict.OK))


def test_a_students_cells_get_their_outputs_and_a_test_cell_never_does() -> None:
    places = {name: REPAIRED.cells.index(cell_of(REPAIRED, name)) for name in ("relu", "check-relu")}
    judged = result(cells=tuple(printed(place, "hello") for place in places.values()))
    built = marked(judged)
    assert cell_of(built, "relu").outputs[0].text == "hello"
    assert cell_of(built, "check-relu").outputs == []


def test_a_cell_that_ended_badly_says_how() -> None:
    place = REPAIRED.cells.index(cell_of(REPAIRED, "relu"))
    (output,) = cell_of(marked(result(cells=(CellResult(place, Verdict.TIMEOUT),))), "relu").outputs
    assert (output.output_type, output.evalue) == ("error", "Took too long")


def test_the_judged_notebook_is_valid_and_the_repaired_one_unchanged() -> None:
    before = nbformat.writes(REPAIRED)
    built = marked(result(Verdict.WRONG, Verdict.OK, Verdict.OK, points={"check-relu": 1.5}))
    nbformat.validate(built)
    assert nbformat.writes(REPAIRED) == before
