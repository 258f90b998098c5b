"""nbgrader's own rows: says whether they fit the source, and writes one attempt's marks into them.

Contract: works in the caller's session and never commits. After ``write_marks`` the rows are what
nbgrader's autograder would have left for the same marks: a manual score is kept and flagged for
review, an unchanged or absent answer that a person would grade is 0, a written one waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader import api
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_task
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, selectinload, with_polymorphic

from autograder.errors import PlatformError
from autograder.gradebook.tables import AttemptRow, NotebookRow
from autograder.repair import Repaired, Role
from autograder.repair.source import normal

WRITTEN, UNCHANGED, ABSENT = "written", "unchanged", "absent"
NO_RESPONSE = "No response."
# An assignment with all its cells, in four queries however many cells there are.
_RELEASED = (
    select(api.Assignment)
    .where(api.Assignment.name == bindparam("name"))
    .options(
        selectinload(api.Assignment.notebooks).options(
            selectinload(api.Notebook._base_cells.of_type(with_polymorphic(api.BaseCell, "*"))),
            selectinload(api.Notebook.source_cells),
        )
    )
)


def require_released(session: Session, assignment: str, sources: Mapping[str, NotebookNode]) -> Any:
    """nbgrader's Assignment row. Raises PlatformError unless its cells are the source notebooks'."""
    row = session.scalars(_RELEASED, {"name": assignment}).one_or_none()
    again = f"run `mlsys release {assignment}`, or `mlsys regrade {assignment}` if it was submitted already"
    if row is None:
        raise PlatformError(f"{assignment} is not in the gradebook; {again}")
    notebooks = {notebook.name: notebook for notebook in row.notebooks}
    if notebooks.keys() != sources.keys():
        there, given = ", ".join(sorted(notebooks)), ", ".join(sorted(sources))
        raise PlatformError(f"{assignment} has the notebooks {there} in the gradebook, not {given}; {again}")
    for name, source in sources.items():
        changed = _changed_cells(notebooks[name], source)
        if changed:
            raise PlatformError(f"{assignment}/{name} is not as released ({', '.join(changed[:5])}); {again}")
    return row


@dataclass(frozen=True)
class ReleasedCell:
    """A cell with an id, as nbgrader released it."""

    source: str
    checksum: str


def released_cells(assignment: Any) -> dict[str, dict[str, ReleasedCell]]:
    """The cells of each notebook as they were released, by name."""
    return {
        notebook.name: {
            row.name: ReleasedCell(row.source or "", row.checksum or "") for row in notebook.source_cells
        }
        for notebook in assignment.notebooks
    }


def answers(released: Mapping[str, ReleasedCell], repaired: Repaired) -> dict[str, str]:
    """What became of each solution cell: WRITTEN, UNCHANGED since the release, or ABSENT."""
    stubs = {name: normal(cell.source) for name, cell in released.items()}
    found: dict[str, str] = {}
    for cell, role in zip(repaired.notebook.cells, repaired.roles, strict=True):
        if role is Role.ANSWER:
            name = cell.metadata.nbgrader.grade_id
            same = stubs.get(name) == normal(cell.source)
            found[name] = ABSENT if name in repaired.absent else UNCHANGED if same else WRITTEN
    return found


def submission_of(session: Session, assignment: Any, student: str) -> Any:
    """nbgrader's SubmittedAssignment row; a new one where there is none."""
    known = _row(session, api.Student, id=student)
    return _row(session, api.SubmittedAssignment, assignment_id=assignment.id, student_id=known.id)


def note_time(submission: Any, submitted: datetime) -> None:
    """Notes the newest submission that was judged: the formgrader takes an older one for ungraded."""
    submission.timestamp = submitted.astimezone(UTC).replace(tzinfo=None)


def write_marks(session: Session, assignment: Any, submission: Any, attempt: AttemptRow) -> None:
    """Makes an attempt's marks the student's grades."""
    judged = {row.name: row for row in attempt.notebooks}
    penalty = attempt.penalty
    for notebook in assignment.notebooks:
        kept = judged[notebook.name]
        row = _row(session, api.SubmittedNotebook, notebook_id=notebook.id, assignment_id=submission.id)
        _write_grades(session, notebook, row, kept)
        _write_comments(session, notebook, row, kept)
        taken = min(penalty, sum(check.points for check in kept.checks))
        row.late_submission_penalty = taken or None
        penalty -= taken


@dataclass(frozen=True)
class Mark:
    """nbgrader's grade of a submission, a person's corrections included, lateness not taken off.
    ``ungraded``: a cell of it still has no mark."""

    points: float
    max_points: float
    ungraded: bool


def mark_of(session: Session, student: str, assignment: str) -> Mark | None:
    """The grade of a student, None where there is none."""
    grade: Any = api.Grade
    wanted = (
        select(grade.score, grade.max_score, grade.auto_score.is_(None) & grade.manual_score.is_(None))
        .join(api.SubmittedNotebook, api.SubmittedNotebook.id == grade.notebook_id)
        .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .where(api.Assignment.name == assignment, api.SubmittedAssignment.student_id == student)
    )
    rows = session.execute(wanted).all()
    if not rows:
        return None
    return Mark(sum(row[0] for row in rows), sum(row[1] for row in rows), any(row[2] for row in rows))


@dataclass(frozen=True)
class ManualMark:
    """An answer that a person grades; ``points`` is None until they have."""

    notebook: str
    cell: str
    points: float | None
    max_points: float
    comment: str


def manual_marks(session: Session, student: str, assignment: str) -> tuple[ManualMark, ...]:
    """The marks of a submission that no check gives, with what people wrote about them."""
    submission = session.scalars(
        select(api.SubmittedAssignment)
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .where(api.Assignment.name == assignment, api.SubmittedAssignment.student_id == student)
    ).one_or_none()
    marks = []
    for notebook in submission.notebooks if submission is not None else ():
        answers = {cell.name for cell in [*notebook.notebook.solution_cells, *notebook.notebook.task_cells]}
        said = {comment.name: comment.comment or "" for comment in notebook.comments}
        for grade in notebook.grades:
            if grade.name in answers:
                given = grade.auto_score is not None or grade.manual_score is not None
                points = float(grade.score) if given else None
                comment = said.get(grade.name, "")
                marks.append(ManualMark(notebook.name, grade.name, points, float(grade.max_score), comment))
    return tuple(sorted(marks, key=lambda mark: (mark.notebook, mark.cell)))


def _changed_cells(notebook: Any, source: NotebookNode) -> list[str]:
    """Cells of the source whose points or text differ from the gradebook's."""
    graded = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    wanted = {
        cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points)
        for cell in source.cells
        if is_grade(cell) or is_task(cell)
    }
    changed = {name for name in graded.keys() | wanted.keys() if graded.get(name) != wanted.get(name)}
    released = {cell.name: cell.checksum for cell in notebook.source_cells}
    for cell in source.cells:
        if is_locked(cell) and "AUTOTEST" not in cell.source:  # nbgrader writes such a cell's tests itself
            name = cell.metadata.nbgrader.grade_id
            changed.update([name] if released.get(name) != compute_checksum(cell) else [])
    return sorted(changed)


def _row(session: Session, table: Any, **key: str) -> Any:
    """The row with this key; a new one where there is none."""
    found = session.scalars(select(table).filter_by(**key)).one_or_none()
    if found is None:
        found = table(**key)
        session.add(found)
        session.flush()
    return found


def _rows_of_cells(
    session: Session, table: Any, cells: Sequence[Any], submitted: Any
) -> list[tuple[Any, Any]]:
    """Each cell with its row of this notebook; a new one where there is none."""
    there = session.scalars(select(table).filter_by(notebook_id=submitted.id))
    rows = {row.cell_id: row for row in there}
    for cell in cells:
        if cell.id not in rows:
            rows[cell.id] = table(cell_id=cell.id, notebook_id=submitted.id)
            session.add(rows[cell.id])
    return [(cell, rows[cell.id]) for cell in cells]


def _write_grades(session: Session, notebook: Any, submitted: Any, kept: NotebookRow) -> None:
    points = {check.name: check.points for check in kept.checks}
    cells = [*notebook.grade_cells, *notebook.task_cells]
    for cell, grade in _rows_of_cells(session, api.Grade, cells, submitted):
        grade.auto_score = auto_score(cell.name, points, kept.answers, problem=bool(kept.problem))
        manual = grade.manual_score is not None
        grade.needs_manual_grade = not kept.problem and (manual or grade.auto_score is None)


def _write_comments(session: Session, notebook: Any, submitted: Any, kept: NotebookRow) -> None:
    cells = [*notebook.solution_cells, *notebook.task_cells]
    for cell, comment in _rows_of_cells(session, api.Comment, cells, submitted):
        comment.auto_comment = auto_comment(cell.name, kept.answers, problem=bool(kept.problem))


def auto_score(
    cell: str, points: Mapping[str, float], answers: Mapping[str, str], *, problem: bool
) -> float | None:
    """What is written for a graded cell; None where a person has to grade it. ``points``: by check."""
    if problem:
        return 0.0
    return points.get(cell, 0.0 if answers.get(cell) in (UNCHANGED, ABSENT) else None)


def auto_comment(cell: str, answers: Mapping[str, str], *, problem: bool) -> str | None:
    """What is said of a solution cell."""
    return NO_RESPONSE if problem or answers.get(cell) in (UNCHANGED, ABSENT) else None
