"""Composes notebooks: the nbgrader source, what students receive, and submissions of staff.

Contract: the same assignment gives the same bytes. The source is an nbgrader notebook (schema
3) with solution and hidden-test regions; everything else is derived from it, so that percent
files and existing nbgrader notebooks go the same way. Trusts: ``course.material`` has checked
the assignment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy

from nbformat import NotebookNode

from course.assignment import Assignment, Authored, Existing, Variant
from course.markers import Region, regions
from course.notebook import (
    check_cells,
    code_cell,
    grading,
    new_notebook,
    parse_notebook,
    solve_cells,
    text_cell,
)
from course.percent import Cell, Kind

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
STOCK_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
STOCK_TEXT = "YOUR ANSWER HERE"


def compose_source(assignment: Assignment) -> NotebookNode:
    """The instructor's notebook: stubs, solutions, visible and hidden checks."""
    content = assignment.content
    if isinstance(content, Existing):
        notebook = parse_notebook(content.text)
    else:
        notebook = new_notebook(_cells(content), {"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.metadata["mlsys"] = _settings(assignment)
    return notebook


def compose_release(assignment: Assignment) -> NotebookNode:
    """The student's notebook: what nbgrader makes of the source, without its checksums."""
    notebook = compose_source(assignment)
    stub = code_stub(assignment)
    for cell in notebook.cells:
        cell.source = public(cell, stub)
        _lock(cell)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def compose_submission(assignment: Assignment, variant: Variant | None = None) -> NotebookNode:
    """The notebook of a student who hands in a variant, or the reference."""
    return fill(assignment, reference(assignment) | dict(variant.answers if variant else {}))


def compose_stub(assignment: Assignment) -> NotebookNode:
    """The notebook of a student who hands in what they received."""
    return compose_release(assignment)


def fill(assignment: Assignment, answers: Mapping[str, str]) -> NotebookNode:
    """The student's notebook with these sources in its solve cells, by id."""
    notebook = compose_release(assignment)
    for name, cell in solve_cells(notebook).items():
        cell.source = answers.get(name, cell.source)
    return notebook


def restore(submission: NotebookNode, source: NotebookNode) -> NotebookNode:
    """A submission with the instructor's test cells in place of the student's, as at grading."""
    restored, tests = deepcopy(submission), check_cells(source)
    for name, cell in check_cells(restored).items():
        cell.source = tests[name].source
    return restored


def reference(assignment: Assignment) -> dict[str, str]:
    """The reference's solve cells by id."""
    content = assignment.content
    if isinstance(content, Authored):
        return {cell.id: cell.source for cell in content.solution.of(Kind.SOLVE).values()}
    return {name: _unmarked(cell) for name, cell in solve_cells(compose_source(assignment)).items()}


def stubs(assignment: Assignment) -> dict[str, str]:
    """The solve cells as students receive them, by id."""
    return {name: cell.source for name, cell in solve_cells(compose_release(assignment)).items()}


def code_stub(assignment: Assignment) -> str:
    """What stands for a solution region in the student's notebook."""
    return "" if isinstance(assignment.content, Authored) else STOCK_STUB


def public(cell: NotebookNode, stub: str) -> str:
    """The part of a source cell that students receive, as nbgrader cuts it."""
    lines, shown = regions(cell.source), []
    solution = grading(cell).get("solution")
    if solution and not any(line.region is Region.SOLUTION for line in lines):
        return stub if cell.cell_type == "code" else STOCK_TEXT
    replacement = stub if cell.cell_type == "code" else STOCK_TEXT
    for line in lines:
        if line.marker and Region.SOLUTION.begin in line.text:
            indent = re.match(r"\s*", line.text)
            shown += [f"{indent.group() if indent else ''}{each}" for each in replacement.split("\n")]
        elif not line.marker and line.region is None:
            shown.append(line.text)
    return "\n".join(shown)


def _unmarked(cell: NotebookNode) -> str:
    return "\n".join(line.text for line in regions(cell.source) if not line.marker)


def _settings(assignment: Assignment) -> dict[str, object]:
    return {
        "version": 1,
        "assignment": assignment.id,
        "limits": assignment.limits.box(),
        "check_seconds": assignment.limits.check_seconds,
        "opaque": list(assignment.opaque),
        "hide": list(assignment.hide),
        **({} if assignment.preload is None else {"preload": list(assignment.preload)}),
    }


def _cells(content: Authored) -> list[NotebookNode]:
    solutions, hidden = content.solution.of(Kind.SOLVE), content.hidden.of(Kind.CHECK)
    numbers = {Kind.TEXT: 0, Kind.GIVEN: 0}
    cells = []
    for cell in content.script.cells:
        if cell.kind in numbers:
            numbers[cell.kind] += 1
        match cell.kind:
            case Kind.TEXT:
                # An underscore keeps this apart from every grade_id.
                cells.append(text_cell(f"text_{numbers[cell.kind]}", cell.source))
            case Kind.GIVEN:
                cells.append(_code(f"given-{numbers[cell.kind]}", cell.source, locked=True))
            case Kind.SOLVE:
                source = _region(cell, solutions[cell.id], Region.SOLUTION)
                cells.append(_code(cell.id, source, solution=True))
            case Kind.CHECK:
                cells.append(_check(cell, hidden[cell.id], content.questions[cell.id]))
    return cells


def _check(visible: Cell, hidden: Cell, question: str) -> NotebookNode:
    source = _region(visible, hidden, Region.HIDDEN)
    cell = _code(f"check-{visible.id}", source, grade=True, locked=True)
    cell.metadata["nbgrader"]["points"] = visible.points
    cell.metadata["mlsys"] = {"question": question} | ({"speed": True} if visible.speed else {})
    return cell


def _region(shown: Cell, secret: Cell, region: Region) -> str:
    return f"{shown.source}\n### {region.begin}\n{secret.source}\n### {region.end}"


def _code(
    name: str, source: str, *, grade: bool = False, solution: bool = False, locked: bool = False
) -> NotebookNode:
    marks = {
        "cell_type": "code",
        "grade": grade,
        "grade_id": name,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return code_cell(name, source, {"nbgrader": marks})


def _lock(cell: NotebookNode) -> None:
    """Marks a cell as nbgrader's LockCells does."""
    marks = grading(cell)
    if not any(marks.get(key) for key in ("grade", "solution", "locked")):
        return
    cell.metadata["deletable"] = False
    if not marks.get("solution"):
        cell.metadata["editable"] = False
