"""An assignment's cells as nbgrader released them, and whether they are those of the source notebooks.

Contract: reads in the caller's session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader import api
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_task
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from autograder.errors import PlatformError
from autograder.gradebook.attempts import source_version
from autograder.gradebook.tables import table_of

# The kinds of nbgrader's cells that have a grade, and those that have a comment.
GRADED, COMMENTED = ("GradeCell", "TaskCell"), ("SolutionCell", "TaskCell")
# Of columns, not of nbgrader's classes: they are asked for with each submission that is recorded.
_assignment, _notebook, _cell, _grade, _task, _source = (
    table_of(each)
    for each in (api.Assignment, api.Notebook, api.BaseCell, api.GradeCell, api.TaskCell, api.SourceCell)
)
_NAMED = _assignment.c.name == bindparam("name")
_NOTEBOOKS = (
    select(_assignment.c.id, _notebook.c.id, _notebook.c.name)
    .select_from(_assignment)
    .outerjoin(_notebook, _notebook.c.assignment_id == _assignment.c.id)
    .where(_NAMED)
    .order_by(_notebook.c.name)
)
_CELLS = (
    select(
        _cell.c.notebook_id,
        _cell.c.type,
        _cell.c.id,
        _cell.c.name,
        func.coalesce(_grade.c.max_score, _task.c.max_score),
    )
    .select_from(_cell)
    .outerjoin(_grade, _grade.c.id == _cell.c.id)
    .outerjoin(_task, _task.c.id == _cell.c.id)
    .join(_notebook, _notebook.c.id == _cell.c.notebook_id)
    .join(_assignment, _assignment.c.id == _notebook.c.assignment_id)
    .where(_NAMED)
)
_SOURCES = (
    select(_source.c.notebook_id, _source.c.name, _source.c.source, _source.c.checksum)
    .join(_notebook, _notebook.c.id == _source.c.notebook_id)
    .join(_assignment, _assignment.c.id == _notebook.c.assignment_id)
    .where(_NAMED)
)


@dataclass(frozen=True)
class ReleasedCell:
    """A cell with an id, as nbgrader released it."""

    source: str
    checksum: str


@dataclass(frozen=True)
class BaseCell:
    """A row of ``base_cell``; ``kind`` is nbgrader's. ``max_score`` is None for a solution."""

    kind: str
    id: str
    name: str
    max_score: float | None


@dataclass(frozen=True)
class ReleasedNotebook:
    """``cells``: nbgrader's rows of what is graded or answered; ``released``: each cell with an id, by it."""

    id: str
    name: str
    cells: tuple[BaseCell, ...]
    released: Mapping[str, ReleasedCell]

    def of(self, kinds: Sequence[str]) -> tuple[BaseCell, ...]:
        return tuple(cell for cell in self.cells if cell.kind in kinds)


@dataclass(frozen=True)
class ReleasedAssignment:
    """nbgrader's assignment; ``version`` is the ``source_version`` of the notebooks that it fits."""

    id: str
    notebooks: tuple[ReleasedNotebook, ...]
    version: str

    @property
    def released(self) -> dict[str, Mapping[str, ReleasedCell]]:
        """The cells of each notebook as they were released, by name."""
        return {each.name: each.released for each in self.notebooks}


Rows = tuple[list[Any], list[Any], list[Any]]


def require_released(
    session: Session, assignment: str, sources: Mapping[str, NotebookNode]
) -> ReleasedAssignment:
    """nbgrader's assignment. Raises PlatformError unless its cells are the source notebooks'."""
    return _fitting(_rows(session, assignment), assignment, sources)


class Releases:
    """What ``require_released`` returns, worked out again only where the rows or the notebooks are others."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[Rows, dict[str, NotebookNode], ReleasedAssignment]] = {}

    def require(
        self, session: Session, assignment: str, sources: Mapping[str, NotebookNode]
    ) -> ReleasedAssignment:
        """Raises as ``require_released``. The same notebooks are taken to hold what they held before."""
        rows = _rows(session, assignment)
        if assignment in self.known:
            before, notebooks, found = self.known[assignment]
            same = sources.keys() == notebooks.keys()
            if same and all(sources[name] is notebooks[name] for name in sources) and rows == before:
                return found
        found = _fitting(rows, assignment, sources)
        self.known[assignment] = rows, dict(sources), found
        return found


def _rows(session: Session, assignment: str) -> Rows:
    named = {"name": assignment}
    notebooks, cells, sources = (
        [tuple(row) for row in session.execute(wanted, named)] for wanted in (_NOTEBOOKS, _CELLS, _SOURCES)
    )
    return notebooks, cells, sources


def _fitting(rows: Rows, assignment: str, sources: Mapping[str, NotebookNode]) -> ReleasedAssignment:
    again = f"run `mlsys release {assignment}`, or `mlsys regrade {assignment}` if it was submitted already"
    if not rows[0]:
        raise PlatformError(f"{assignment} is not in the gradebook; {again}")
    notebooks = _notebooks(rows)
    if notebooks.keys() != sources.keys():
        there, given = ", ".join(sorted(notebooks)), ", ".join(sorted(sources))
        raise PlatformError(f"{assignment} has the notebooks {there} in the gradebook, not {given}; {again}")
    for name, source in sources.items():
        changed = _changed_cells(notebooks[name], source)
        if changed:
            raise PlatformError(f"{assignment}/{name} is not as released ({', '.join(changed[:5])}); {again}")
    return ReleasedAssignment(rows[0][0][0], tuple(notebooks.values()), source_version(sources))


def _notebooks(rows: Rows) -> dict[str, ReleasedNotebook]:
    found, cells, sources = rows
    return {
        name: ReleasedNotebook(
            key,
            name,
            tuple(BaseCell(*cell) for notebook, *cell in cells if notebook == key),
            {
                cell: ReleasedCell(text or "", checksum or "")
                for notebook, cell, text, checksum in sources
                if notebook == key
            },
        )
        for _, key, name in found
        if key is not None
    }


def _changed_cells(notebook: ReleasedNotebook, source: NotebookNode) -> Sequence[str]:
    """Cells of the source whose points or text differ from the gradebook's."""
    graded = {cell.name: cell.max_score for cell in notebook.of(GRADED)}
    wanted = {
        cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points)
        for cell in source.cells
        if is_grade(cell) or is_task(cell)
    }
    changed = {name for name in graded.keys() | wanted.keys() if graded.get(name) != wanted.get(name)}
    for cell in source.cells:
        if is_locked(cell) and "AUTOTEST" not in cell.source:  # nbgrader writes such a cell's tests itself
            name = cell.metadata.nbgrader.grade_id
            known = notebook.released.get(name)
            changed.update([name] if known is None or known.checksum != compute_checksum(cell) else [])
    return sorted(changed)


__all__ = ["ReleasedAssignment", "ReleasedCell", "ReleasedNotebook", "Releases", "require_released"]
