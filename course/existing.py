"""Reads an nbgrader source notebook that is used as it is, and checks what nbgrader doesn't.

Contract: the notebook is valid nbformat 4, written for Python, in nbgrader's schema 3, its ids
are unique and its markers are proper pairs in cells of the right kind. A misfit is an
AuthorError at the line of the .ipynb file where the offending text stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.assignment import Existing, Question
from course.markers import MarkerError, Region, regions
from course.notebook import grade_id, grading, parse_notebook, solve_cells
from course.place import Place, read_text

SCHEMA = 3


def read_existing(file: Path) -> Existing:
    """The notebook in ``file``, checked."""
    text = read_text(file)
    notebook = _parse(text, file)
    _refuse_language(notebook, file)
    seen: set[str] = set()
    for cell in notebook.cells:
        _check_cell(cell, _place(text, file, cell))
        _check_regions(cell, text, file)
        if (name := grade_id(cell)) in seen:
            raise _find(text, file, name, again=True).error(f"the grade_id {name!r} stands twice")
        seen.update([name] if name else [])
    return Existing(file, text)


def existing_questions(content: Existing) -> tuple[Question, ...]:
    """What its checks grade: points of each check go to the nearest solution cell before it."""
    points: dict[str, float] = {}
    owner = ""
    for cell in parse_notebook(content.text).cells:
        marks = grading(cell)
        if marks.get("solution"):
            owner = grade_id(cell)
        elif marks.get("grade"):
            name = owner or grade_id(cell)
            points[name] = points.get(name, 0) + float(str(marks["points"]))
    if not points:
        raise Place(content.file).error("no graded test cell: mark one as 'Autograder tests'")
    return tuple(Question(name, name, value) for name, value in points.items())


def solution_ids(content: Existing) -> tuple[str, ...]:
    """The ids of its solution cells."""
    return tuple(solve_cells(parse_notebook(content.text)))


def _parse(text: str, file: Path) -> NotebookNode:
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as e:
        raise Place(file, e.lineno).error(f"not JSON: {e.msg}") from e
    if not isinstance(raw, dict) or raw.get("nbformat") != 4:
        raise Place(file).error("not a notebook of format 4; open and save it in JupyterLab")
    try:
        return parse_notebook(text)
    except (nbformat.ValidationError, KeyError, AttributeError, TypeError) as e:
        raise Place(file).error(f"not a valid notebook: {str(e).splitlines()[0]}") from e


def _refuse_language(notebook: NotebookNode, file: Path) -> None:
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise Place(file).error(f"a notebook in {language}; only Python can be judged")


def _check_cell(cell: NotebookNode, place: Place) -> None:
    marks = grading(cell)
    if not marks:
        return
    if marks.get("schema_version") != SCHEMA:
        version = marks.get("schema_version")
        raise place.error(f"nbgrader schema {version}, not {SCHEMA}: run 'nbgrader update'")
    if missing := {"grade", "solution", "locked"} - marks.keys():
        raise place.error(f"nbgrader's metadata lacks {sorted(missing)}: set the cell's type again")
    used = marks["grade"] or marks["solution"] or marks["locked"] or marks.get("task")
    if used and not marks.get("grade_id"):
        raise place.error("a graded cell without a grade_id: give it one")
    points = marks.get("points")
    if marks["grade"] and (isinstance(points, bool) or not isinstance(points, int | float) or points < 0):
        raise place.error(f"points must be a number from zero on, not {points!r}")


def _check_regions(cell: NotebookNode, text: str, file: Path) -> None:
    try:
        lines = regions(cell.source)
    except MarkerError as e:
        line = cell.source.split("\n")[e.line - 1]
        raise _find(text, file, line).error(str(e)) from e
    marks = grading(cell)
    homes = {
        Region.SOLUTION: ("a solution cell", marks.get("solution")),
        Region.HIDDEN: ("an 'Autograder tests' cell", marks.get("grade")),
        Region.SCHEME: ("a task cell", marks.get("task")),
    }
    for line in lines:
        if line.region and not homes[line.region][1]:
            home = homes[line.region][0]
            raise _find(text, file, line.text).error(f"a {line.region} region outside {home}")


def _place(text: str, file: Path, cell: NotebookNode) -> Place:
    first = next(iter(cell.source.split("\n")), "")
    return _find(text, file, first) if first.strip() else Place(file, 1)


def _find(text: str, file: Path, needle: str, *, again: bool = False) -> Place:
    """The line of the JSON text that holds a string, or its second one."""
    shapes = {json.dumps(needle)[1:-1], json.dumps(needle, ensure_ascii=False)[1:-1]}
    found = list(_lines_with(text, shapes))
    return Place(file, found[min(int(again), len(found) - 1)] if found else 1)


def _lines_with(text: str, shapes: set[str]) -> Iterator[int]:
    for number, line in enumerate(text.split("\n"), 1):
        if any(shape in line for shape in shapes):
            yield number
