"""The cells of an assignment in nbgrader's rows, and how they become those of another set of questions.

Contract: ``fit`` changes the ledger it is given, nothing else. Cells with the same notebook, name and kind
stay the same rows. Where a question's points change, automatic marks are scaled until somebody is judged
anew; where a graded cell is new, its mark waits for the judge or a person, and is no zero. Marks and
comments of cells that are gone go with them; all else stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nbformat.notebooknode import NotebookNode
from nbgrader.api import new_uuid
from nbgrader.utils import is_grade, is_solution, is_task

from autograder.errors import PlatformError
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.regrading.ledger import Ledger, Row, read_ledger
from autograder.gradebook.released import COMMENTED, GRADED, ReleasedCell, require_released

KINDS = {"GradeCell": "grade_cells", "SolutionCell": "solution_cells", "TaskCell": "task_cells"}


def is_fit(gradebook: Gradebook, assignment: str, sources: Mapping[str, NotebookNode]) -> bool:
    """Whether nbgrader's cells are those of the source notebooks. Raises PlatformError where the assignment
    isn't in the gradebook at all."""
    with gradebook.database.reading() as session:
        there = set(cells(read_ledger(session, assignment)))
        try:
            require_released(session, assignment, sources)
        except PlatformError:
            return False
        return there == {
            (name, kind, cell.metadata.nbgrader.grade_id)
            for name, source in sources.items()
            for cell in source.cells
            for kind, asked in (("GradeCell", is_grade), ("SolutionCell", is_solution), ("TaskCell", is_task))
            if asked(cell)
        }


def cells(ledger: Ledger) -> dict[tuple[str, str, str], Row]:
    """(notebook, kind, name) -> the row of ``base_cell``."""
    names = notebook_names(ledger)
    return {(names[row["notebook_id"]], row["type"], row["name"]): row for row in ledger.rows("base_cell")}


def notebook_names(ledger: Ledger) -> dict[str, str]:
    """nbgrader's id of each notebook -> its name."""
    return {key: row["name"] for key, row in ledger.tables["notebook"].items()}


def released(ledger: Ledger) -> dict[str, dict[str, ReleasedCell]]:
    """The cells of each notebook as they are released, by name."""
    names = notebook_names(ledger)
    found: dict[str, dict[str, ReleasedCell]] = {name: {} for name in names.values()}
    for row in ledger.rows("source_cell"):
        cell = ReleasedCell(row["source"] or "", row["checksum"] or "")
        found[names[row["notebook_id"]]][row["name"]] = cell
    return found


def fit(held: Ledger, wanted: Ledger) -> None:
    """Makes the cells of ``held`` those of ``wanted``, which is of another database."""
    _fit_notebooks(held, wanted)
    old, new = cells(held), cells(wanted)
    for key in old.keys() - new.keys():
        _remove_cell(held, old[key]["id"])
    ids = {row["name"]: key for key, row in held.tables["notebook"].items()}
    for key, row in new.items():
        details = wanted.tables[KINDS[row["type"]]][row["id"]]
        if key in old:
            _change_cell(held, old[key], details)
        else:
            _add_cell(held, {**row, "id": new_uuid(), "notebook_id": ids[key[0]]}, details)
    _fit_sources(held, wanted, ids)


def _fit_notebooks(held: Ledger, wanted: Ledger) -> None:
    there = {row["name"]: row for row in held.rows("notebook")}
    asked = {row["name"]: row for row in wanted.rows("notebook")}
    for name in asked.keys() - there.keys():
        held.add("notebook", {**asked[name], "id": new_uuid(), "assignment_id": held.assignment})
    for name in there.keys() & asked.keys():
        there[name]["kernelspec"] = asked[name]["kernelspec"]
    for name in there.keys() - asked.keys():
        gone = there[name]["id"]
        for cell in [row["id"] for row in held.rows("base_cell") if row["notebook_id"] == gone]:
            _remove_cell(held, cell)
        for table in ("source_cell", "submitted_notebook"):
            _remove(held, table, notebook_id=gone)
        del held.tables["notebook"][gone]


def _remove_cell(held: Ledger, cell: str) -> None:
    for table in ("grade", "comment"):
        _remove(held, table, cell_id=cell)
    for table in (*KINDS.values(), "base_cell"):
        held.tables[table].pop(cell, None)


def _remove(held: Ledger, table: str, **where: str) -> None:
    ((column, value),) = where.items()
    rows = held.tables[table]
    for key in [key for key, row in rows.items() if row[column] == value]:
        del rows[key]


def _change_cell(held: Ledger, base: Row, details: Row) -> None:
    row = held.tables[KINDS[base["type"]]][base["id"]]
    before, after = row.get("max_score"), details.get("max_score")
    row.update({name: value for name, value in details.items() if name != "id"})
    if before != after:
        for grade in held.rows("grade"):
            if grade["cell_id"] == base["id"] and grade["auto_score"] is not None:
                grade["auto_score"] = scaled(grade["auto_score"], before or 0.0, after or 0.0)
                waits = grade["auto_score"] is None and grade["manual_score"] is None
                grade["needs_manual_grade"] = waits or grade["needs_manual_grade"]


def scaled(points: float, before: float, after: float) -> float | None:
    """The same part of other points, never more than all of them; None where there is no telling."""
    if not before:
        return None if after else 0.0
    part = points * after / before
    return min(part, after) if points <= before else part


def _add_cell(held: Ledger, base: Row, details: Row) -> None:
    held.add("base_cell", base)
    held.add(KINDS[base["type"]], {**details, "id": base["id"]})
    for part in [row for row in held.rows("submitted_notebook") if row["notebook_id"] == base["notebook_id"]]:
        if base["type"] in GRADED:
            held.add("grade", blank_grade(base["id"], part["id"]))
        if base["type"] in COMMENTED:
            held.add("comment", blank_comment(base["id"], part["id"]))


def blank_grade(cell: str, part: str) -> Row:
    """A graded cell of a submission before anybody has judged it."""
    return {
        "id": new_uuid(),
        "cell_id": cell,
        "notebook_id": part,
        "auto_score": None,
        "manual_score": None,
        "extra_credit": None,
        "needs_manual_grade": True,
    }


def blank_comment(cell: str, part: str) -> Row:
    return {
        "id": new_uuid(),
        "cell_id": cell,
        "notebook_id": part,
        "auto_comment": None,
        "manual_comment": None,
    }


def _fit_sources(held: Ledger, wanted: Ledger, ids: Mapping[str, str]) -> None:
    there = dict(_sources(held))
    asked = dict(_sources(wanted))
    for key in there.keys() - asked.keys():
        del held.tables["source_cell"][there[key]["id"]]
    for key, row in asked.items():
        own = {name: value for name, value in row.items() if name not in ("id", "notebook_id")}
        if key in there:
            there[key].update(own)
        else:
            held.add("source_cell", {**own, "id": new_uuid(), "notebook_id": ids[key[0]]})


def _sources(ledger: Ledger) -> Iterator[tuple[tuple[str, str], Row]]:
    names = notebook_names(ledger)
    for row in ledger.rows("source_cell"):
        yield (names[row["notebook_id"]], row["name"]), row
