"""What a student does to a notebook, and what is judged all the same."""

from __future__ import annotations

import copy
from collections.abc import Callable

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from autograder.errors import AuthorError
from autograder.repair import Repaired, RepairKind, Role, repair
from tests.autograder.notebooks import (
    STUB,
    as_bytes,
    cell_of,
    code,
    ids,
    notebook,
    released,
    right,
    submission,
    text,
    two_questions,
)

SOURCE = two_questions()
ORDER = ids(SOURCE)


def kinds(repaired: Repaired) -> dict[str, set[RepairKind]]:
    found: dict[str, set[RepairKind]] = {}
    for each in repaired.repairs:
        found.setdefault(each.cell, set()).add(each.kind)
    return found


def drop(nb: NotebookNode, grade_id: str) -> NotebookNode:
    nb.cells.remove(cell_of(nb, grade_id))
    return nb


def test_an_honest_submission_needs_no_repair() -> None:
    repaired = repair(SOURCE, right(SOURCE))
    assert repaired.repairs == ()
    assert ids(repaired.notebook) == ORDER
    assert cell_of(repaired.notebook, "relu").source == "def relu(x):\n    return x if x > 0 else 0"


def test_a_bare_stub_needs_no_repair() -> None:
    repaired = repair(SOURCE, as_bytes(released(SOURCE)))
    assert repaired.repairs == ()
    assert cell_of(repaired.notebook, "relu").source == STUB


def test_checks_come_from_the_source_with_their_hidden_tests() -> None:
    repaired = repair(SOURCE, right(SOURCE))
    assert cell_of(repaired.notebook, "check-relu").source == cell_of(SOURCE, "check-relu").source


def test_the_reference_never_enters_a_repaired_notebook() -> None:
    repaired = repair(SOURCE, drop(released(SOURCE), "relu"))
    assert not any("BEGIN SOLUTION" in cell.source for cell in repaired.notebook.cells)
    assert not any("max(x, 0)\n" in cell.source for cell in repaired.notebook.cells)


def test_the_repaired_notebook_is_valid() -> None:
    nbformat.validate(repair(SOURCE, right(SOURCE)).notebook)


def test_repairing_twice_changes_nothing() -> None:
    nb = right(SOURCE)
    nb.cells.reverse()
    once = repair(SOURCE, nb).notebook
    assert repair(SOURCE, once).notebook == once


def test_an_edited_test_cell_is_replaced() -> None:
    nb = right(SOURCE)
    cell_of(nb, "check-relu").source = "pass"
    repaired = repair(SOURCE, nb)
    assert cell_of(repaired.notebook, "check-relu").source == cell_of(SOURCE, "check-relu").source
    assert kinds(repaired) == {"check-relu": {RepairKind.EDITED}}


def test_an_edited_given_cell_is_replaced() -> None:
    nb = right(SOURCE)
    cell_of(nb, "given-2").source = "SCALE = 3"
    repaired = repair(SOURCE, nb)
    assert cell_of(repaired.notebook, "given-2").source == "SCALE = 2"
    assert kinds(repaired) == {"given-2": {RepairKind.EDITED}}


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_a_test_cell_turned_into_text_is_a_test_cell(kind: str) -> None:
    nb = right(SOURCE)
    cell_of(nb, "check-relu").cell_type = kind
    repaired = repair(SOURCE, nb)
    assert cell_of(repaired.notebook, "check-relu").cell_type == "code"
    assert kinds(repaired) == {"check-relu": {RepairKind.RETYPED}}


def test_an_answer_turned_into_text_is_code_again() -> None:
    nb = right(SOURCE)
    cell_of(nb, "relu").cell_type = "raw"
    found = cell_of(repair(SOURCE, nb).notebook, "relu")
    assert (found.cell_type, found.outputs) == ("code", [])


@pytest.mark.parametrize("grade_id", [each for each in ORDER if each not in ("relu", "layer", "why")])
def test_a_deleted_cell_of_the_courses_is_put_back_in_its_place(grade_id: str) -> None:
    repaired = repair(SOURCE, drop(right(SOURCE), grade_id))
    assert ids(repaired.notebook) == ORDER
    assert kinds(repaired) == {grade_id: {RepairKind.RESTORED}}


def test_a_deleted_answer_is_absent_and_overrides_nothing() -> None:
    nb = drop(right(SOURCE), "relu")
    repaired = repair(SOURCE, nb)
    assert ids(repaired.notebook) == ORDER
    assert repaired.absent == {"relu"}
    assert "def" not in cell_of(repaired.notebook, "relu").source
    assert kinds(repaired) == {"relu": {RepairKind.MISSING}}


def test_a_second_copy_of_a_test_cell_is_dropped() -> None:
    nb = right(SOURCE)
    nb.cells.append(copy.deepcopy(cell_of(nb, "check-relu")))
    repaired = repair(SOURCE, nb)
    assert ids(repaired.notebook) == ORDER
    assert len(repaired.notebook.cells) == len(SOURCE.cells)
    assert kinds(repaired) == {"check-relu": {RepairKind.DUPLICATED}}


def test_a_copy_of_a_test_cell_with_work_in_it_is_kept_as_the_students() -> None:
    nb = right(SOURCE)
    nb.cells.insert(3, copy.deepcopy(cell_of(nb, "check-relu")))
    nb.cells[3].source = "helper = 1"
    repaired = repair(SOURCE, nb)
    assert ids(repaired.notebook) == ORDER
    own = [
        cell for cell, role in zip(repaired.notebook.cells, repaired.roles, strict=True) if role is Role.EXTRA
    ]
    assert [(cell.source, cell.metadata) for cell in own] == [("helper = 1", {})]


def test_of_two_answers_both_run_and_the_last_counts() -> None:
    nb = right(SOURCE)
    nb.cells.insert(3, copy.deepcopy(cell_of(nb, "relu")))
    nb.cells[3].source = "def relu(x):\n    return 5"
    repaired = repair(SOURCE, nb)
    assert ids(repaired.notebook) == ORDER
    assert cell_of(repaired.notebook, "relu").source.endswith("return 5")
    assert sum("def relu" in cell.source for cell in repaired.notebook.cells) == 2
    assert kinds(repaired) == {"relu": {RepairKind.DUPLICATED}}


def test_cells_without_any_metadata_are_matched_by_content() -> None:
    nb = right(SOURCE)
    for cell in nb.cells:
        cell.metadata = {}
    repaired = repair(SOURCE, nb)
    assert ids(repaired.notebook) == ORDER
    assert repaired.absent == frozenset()
    assert cell_of(repaired.notebook, "layer").source == "def layer(x):\n    return SCALE * relu(x)"
    assert cell_of(repaired.notebook, "why").source == "Otherwise the layers collapse."
    assert set(kinds(repaired)) == set(ORDER)


def test_forged_points_and_flags_are_the_sources_again() -> None:
    nb = right(SOURCE)
    cell_of(nb, "check-relu").metadata.nbgrader.points = 1000
    cell_of(nb, "relu").metadata.nbgrader.update(grade=True, points=50)
    repaired = repair(SOURCE, nb)
    assert cell_of(repaired.notebook, "check-relu").metadata == cell_of(SOURCE, "check-relu").metadata
    assert cell_of(repaired.notebook, "relu").metadata == cell_of(SOURCE, "relu").metadata
    assert kinds(repaired) == {"check-relu": {RepairKind.FORGED}, "relu": {RepairKind.FORGED}}


@pytest.mark.parametrize("points", [10**400, float("inf"), "4", None, [4], {}])
def test_points_that_are_no_mark_are_forged_too(points: object) -> None:
    nb = right(SOURCE)
    cell_of(nb, "check-relu").metadata.nbgrader.points = points
    assert kinds(repair(SOURCE, nb)) == {"check-relu": {RepairKind.FORGED}}


def test_forged_outputs_do_not_survive() -> None:
    nb = right(SOURCE)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = [{"output_type": "execute_result", "data": {"text/plain": "4"}}]
            cell.execution_count = 7
    built = repair(SOURCE, nb).notebook
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in built.cells)


def test_an_unknown_id_makes_a_cell_the_students_own() -> None:
    nb = right(SOURCE)
    nb.cells.insert(2, code("x = 1", grade_id="bonus", grade=True, locked=True, points=100))
    repaired = repair(SOURCE, nb)
    assert ids(repaired.notebook) == ORDER
    assert repaired.notebook.cells[2].metadata == {}
    assert kinds(repaired) == {"": {RepairKind.UNKNOWN}}


def test_a_check_before_its_answer_goes_behind_it() -> None:
    nb = right(SOURCE)
    moved = cell_of(nb, "check-relu")
    nb.cells.remove(moved)
    nb.cells.insert(0, moved)
    repaired = repair(SOURCE, nb)
    assert ids(repaired.notebook) == ORDER
    assert kinds(repaired) == {"check-relu": {RepairKind.MOVED}}


def test_an_answer_at_the_end_is_before_its_checks() -> None:
    nb = right(SOURCE)
    answer = cell_of(nb, "relu")
    nb.cells.remove(answer)
    nb.cells.append(answer)
    order = ids(repair(SOURCE, nb).notebook)
    assert order.index("relu") < order.index("check-relu") < order.index("check-relu-zero")
    assert order.index("given-1") < order.index("layer") < order.index("check-layer")


def test_extra_cells_between_answer_and_check_stay_before_the_check() -> None:
    nb = right(SOURCE)
    nb.cells.insert(3, code("def relu(x):\n    return abs(x)"))
    drop(nb, "check-relu")
    repaired = repair(SOURCE, nb)
    place = [cell.source for cell in repaired.notebook.cells].index("def relu(x):\n    return abs(x)")
    assert repaired.notebook.cells[place + 1].metadata.nbgrader.grade_id == "check-relu"


def test_the_students_cells_keep_their_order() -> None:
    nb = right(SOURCE)
    for n in (9, 6, 3, 0):
        nb.cells.insert(n, code(f"extra_{n} = {n}"))
    own = [cell.source for cell in repair(SOURCE, nb).notebook.cells if cell.source.startswith("extra_")]
    assert own == ["extra_0 = 0", "extra_3 = 3", "extra_6 = 6", "extra_9 = 9"]


def test_pasted_images_in_an_essay_are_kept() -> None:
    nb = right(SOURCE)
    cell_of(nb, "why").attachments = {"a.png": {"image/png": "iVBORw0KGgo="}}
    found = cell_of(repair(SOURCE, nb).notebook, "why")
    assert found.attachments == {"a.png": {"image/png": "iVBORw0KGgo="}}


def test_a_source_that_repeats_an_id_is_the_authors_error() -> None:
    broken = notebook(code("1", grade_id="a", locked=True), code("2", grade_id="a", locked=True))
    with pytest.raises(AuthorError, match="grade_id 'a'"):
        repair(broken, right(SOURCE))


def test_every_sentence_is_one_for_the_student() -> None:
    nb = submission(SOURCE)
    nb.cells = [text("hello"), *nb.cells[5:], code("1", grade_id="zzz", locked=True)]
    sentences = [each.sentence for each in repair(SOURCE, nb).repairs]
    assert len(sentences) > 3
    assert all(sentence[0].isupper() or sentence[0].isdigit() for sentence in sentences)
    assert all(sentence.endswith(".") and "hidden" not in sentence.lower() for sentence in sentences)


def as_v3(nb: NotebookNode) -> NotebookNode:
    old: NotebookNode = nbformat.convert(nb, 3)
    return old


def without_minor(nb: NotebookNode) -> NotebookNode:
    nb.nbformat_minor = 0
    for cell in nb.cells:
        del cell["id"]
    return nb


@pytest.mark.parametrize("age", [as_v3, without_minor])
@pytest.mark.filterwarnings("ignore")
def test_older_formats_are_read(age: Callable[[NotebookNode], NotebookNode]) -> None:
    repaired = repair(SOURCE, as_bytes(age(right(SOURCE))))
    assert ids(repaired.notebook) == ORDER
    assert cell_of(repaired.notebook, "relu").source == "def relu(x):\n    return x if x > 0 else 0"
    assert set(kinds(repaired)) <= {""}
