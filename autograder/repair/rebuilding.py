"""Rebuilds a submission on its source: the one function that decides what will be judged.

Contract: the repaired notebook holds exactly the source's checks, given cells, tasks and answers,
each once, with the source's metadata. Text of checks, given cells and tasks is the source's
(hidden tests included: it is for the judge, never for the box or a page). The text of answers and
all further cells is the student's, in the student's order. No output of the submission survives.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbformat.notebooknode import NotebookNode

from autograder.repair import repairs as said
from autograder.repair.matching import Matches, match
from autograder.repair.placing import Place, place
from autograder.repair.reading import SubmittedCell, SubmittedNotebook, read_notebook, require_few
from autograder.repair.repairs import Repair
from autograder.repair.source import Role, SourceCell, normal, read_source

ABSENT = {
    "code": "# This answer was not found in the submission.",
    "markdown": "*This answer was not found in the submission.*",
}


@dataclass(frozen=True)
class Repaired:
    """A notebook to judge. ``roles`` has one role a cell; ``absent`` the answers that aren't there."""

    notebook: NotebookNode
    roles: tuple[Role, ...]
    repairs: tuple[Repair, ...] = ()
    absent: frozenset[str] = frozenset()


def repair(
    source: NotebookNode,
    submitted: bytes | Mapping[str, object] | SubmittedNotebook,
    *,
    name: str = "the notebook",
) -> Repaired:
    """Rebuilds one submitted notebook.

    ``source`` is the instructor's source notebook; ``submitted`` a file's bytes, a parsed notebook
    or one that ``read_notebook`` returned. Raises SubmissionError for what is no notebook or
    has too many cells, and AuthorError for a source that repeats an id.
    """
    if not isinstance(submitted, SubmittedNotebook):
        submitted = read_notebook(submitted, name)
    cells, wanted = submitted.cells, read_source(source)
    matches = match(wanted, cells)
    places, moved = place(wanted, matches, _kept(wanted, cells, matches))
    built = [_build(n, spot, wanted, cells) for n, spot in enumerate(places)]
    require_few(len(built), name, " with the course's own")
    return Repaired(
        notebook=_notebook(source, [cell for cell, _ in built]),
        roles=tuple(role for _, role in built),
        repairs=tuple(_report(submitted, wanted, matches, moved)),
        absent=frozenset(
            str(each.grade_id)
            for index, each in enumerate(wanted)
            if each.role is Role.ANSWER and index not in matches.found
        ),
    )


def _kept(wanted: tuple[SourceCell, ...], cells: tuple[SubmittedCell, ...], matches: Matches) -> list[int]:
    """All submitted cells but exact copies of the course's cells."""
    surplus = {
        n
        for index, copies in matches.copies.items()
        for n in copies
        if wanted[index].role.is_the_courses and normal(cells[n].text) == wanted[index].released
    }
    return [n for n in range(len(cells)) if n not in surplus]


def _build(
    number: int, spot: Place, wanted: tuple[SourceCell, ...], cells: tuple[SubmittedCell, ...]
) -> tuple[NotebookNode, Role]:
    if spot.source is None:
        assert spot.submitted is not None  # noqa: S101 - a place without a source is a student's cell
        return _cell(number, cells[spot.submitted]), Role.EXTRA
    each = wanted[spot.source]
    if each.role.is_the_courses:
        return _fresh(number, copy.deepcopy(each.cell)), each.role
    if spot.submitted is None:
        text = ABSENT.get(each.cell.cell_type, "")
        written = SubmittedCell(each.cell.cell_type, text)
    else:
        written = cells[spot.submitted]
    kind = each.cell.cell_type if each.role is Role.ANSWER else written.cell_type
    return _cell(number, written, kind, copy.deepcopy(each.cell.metadata)), each.role


def _cell(
    number: int, written: SubmittedCell, cell_type: str | None = None, metadata: NotebookNode | None = None
) -> NotebookNode:
    """A student's cell, with no output and no metadata of its own."""
    cell = node(cell_type=cell_type or written.cell_type, metadata=metadata or node(), source=written.text)
    if written.attachments and cell.cell_type != "code":
        cell.attachments = copy.deepcopy(written.attachments)
    return _fresh(number, cell)


def _fresh(number: int, cell: NotebookNode) -> NotebookNode:
    cell.id = f"cell-{number}"
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def _notebook(source: NotebookNode, cells: list[NotebookNode]) -> NotebookNode:
    return node(nbformat=4, nbformat_minor=5, metadata=copy.deepcopy(source.metadata), cells=cells)


def node(**fields: object) -> NotebookNode:
    """A piece of a notebook."""
    return NotebookNode(**fields)


def _report(
    submitted: SubmittedNotebook, wanted: tuple[SourceCell, ...], matches: Matches, moved: set[int]
) -> Iterator[Repair]:
    if submitted.nbformat < 4:
        yield said.converted(submitted.nbformat)
    if submitted.dropped:
        yield said.dropped(submitted.dropped)
    for index, each in enumerate(wanted):
        if each.grade_id is None:
            continue
        if index not in matches.found:
            answer = each.role is Role.ANSWER
            yield said.missing(each.grade_id) if answer else said.restored(each.grade_id, each.role)
            continue
        found = submitted.cells[matches.found[index]]
        yield from _changes(each, each.grade_id, found, index in matches.by_content)
        if matches.copies.get(index):
            yield said.duplicated(each.grade_id, each.role, len(matches.copies[index]) + 1)
        if index in moved:
            yield said.moved(each.grade_id, each.role)
    known = {each.grade_id for each in wanted}
    strange = dict.fromkeys(cell.grade_id for cell in submitted.cells)
    yield from (said.unknown(grade_id) for grade_id in strange if grade_id and grade_id not in known)


def _changes(each: SourceCell, grade_id: str, found: SubmittedCell, by_content: bool) -> Iterator[Repair]:
    """What the student changed in one cell that is there."""
    if by_content:
        yield said.unmarked(grade_id, each.role)
    elif _settings(found.claims) != _settings(each.cell.metadata.get("nbgrader", {})):
        yield said.forged(grade_id, each.role)
    if found.cell_type != each.cell.cell_type:
        yield said.retyped(grade_id, each.role, found.cell_type, each.cell.cell_type)
    elif each.role.is_the_courses and normal(found.text) != each.released:
        yield said.edited(grade_id, each.role)


def _settings(claims: Mapping[str, object]) -> tuple[object, ...]:
    """The settings of a cell that decide over marks."""
    points = claims.get("points", 0) if claims.get("grade") or claims.get("task") else 0
    return (bool(claims.get("grade")), bool(claims.get("solution")), bool(claims.get("task")), points)
