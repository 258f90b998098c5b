"""Whatever is done to a submission, the course's cells are the source's and no point is added."""

from __future__ import annotations

import copy
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from nbformat.notebooknode import NotebookNode

from autograder.repair import Role, repair, role_of
from tests.autograder.notebooks import code, ids, right, text, two_questions

SOURCE = two_questions()
COURSE = (Role.CHECK, Role.GIVEN, Role.TASK)
NAMES = [*ids(SOURCE), "bonus", ""]

Edit = Callable[[NotebookNode, int], None]


def drop(nb: NotebookNode, n: int) -> None:
    del nb.cells[n]


def double(nb: NotebookNode, n: int) -> None:
    nb.cells.insert((n * 7) % len(nb.cells), copy.deepcopy(nb.cells[n]))


def swap(nb: NotebookNode, n: int) -> None:
    nb.cells[n], nb.cells[0] = nb.cells[0], nb.cells[n]


def retype(nb: NotebookNode, n: int) -> None:
    nb.cells[n].cell_type = ("code", "markdown", "raw")[n % 3]


def write(nb: NotebookNode, n: int) -> None:
    nb.cells[n].source = f"print({n})"


def unmark(nb: NotebookNode, n: int) -> None:
    nb.cells[n].metadata = {}


def rename(nb: NotebookNode, n: int) -> None:
    nb.cells[n].metadata = {"nbgrader": {"grade_id": NAMES[n % len(NAMES)], "grade": True, "points": 99}}


def add(nb: NotebookNode, n: int) -> None:
    nb.cells.insert(n, code(f"extra = {n}") if n % 2 else text("A note."))


EDITS: list[Edit] = [drop, double, swap, retype, write, unmark, rename, add]


def mangled(edits: list[tuple[Edit, int]]) -> NotebookNode:
    nb = right(SOURCE)
    for edit, n in edits:
        if nb.cells:
            edit(nb, n % len(nb.cells))
    return nb if nb.cells else right(SOURCE)


@given(st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 40)), max_size=25))
def test_the_graded_cells_are_exactly_the_sources(edits: list[tuple[Edit, int]]) -> None:
    built = repair(SOURCE, mangled(edits))
    cells = built.notebook.cells
    assert sorted(ids(built.notebook)) == sorted(ids(SOURCE))
    wanted = {cell.metadata.nbgrader.grade_id: cell for cell in SOURCE.cells if "nbgrader" in cell.metadata}
    for cell, role in zip(cells, built.roles, strict=True):
        original = wanted.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        assert (original is None) == (role in (Role.EXTRA, Role.TEXT))
        if original is not None:
            assert (cell.metadata, cell.cell_type) == (original.metadata, original.cell_type)
            assert role is role_of(original)
            assert role not in COURSE or cell.source == original.source
    points = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells)
    assert points == 15


@given(st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 40)), max_size=25))
def test_each_check_comes_after_the_answers_before_it(edits: list[tuple[Edit, int]]) -> None:
    order = ids(repair(SOURCE, mangled(edits)).notebook)
    chain = ["relu", "check-relu", "check-relu-zero", "check-layer"]
    assert [name for name in order if name in chain] == chain
    assert order.index("layer") < order.index("check-layer")


@given(st.lists(st.tuples(st.sampled_from([drop, swap, add, unmark]), st.integers(0, 40)), max_size=15))
def test_nothing_that_a_student_wrote_is_lost(edits: list[tuple[Edit, int]]) -> None:
    nb = mangled(edits)
    course = {cell.source for cell in nb.cells if role_of(cell) in COURSE}
    course |= {cell.source for cell in right(SOURCE).cells if role_of(cell) in COURSE}
    mine = [cell.source for cell in nb.cells if cell.source not in course]
    kept = [cell.source for cell in repair(SOURCE, nb).notebook.cells]
    assert [source for source in kept if source in mine] == mine
