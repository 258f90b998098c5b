"""nbgrader's own rows of a submission: writes one attempt's marks into them.

Contract: works in the caller's session and never commits. After ``write_marks`` the rows are what
nbgrader's autograder would have left for the same marks: a manual score is kept and flagged for
review, an unchanged or absent answer that a person would grade is 0, a written one waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nbgrader import api
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from autograder.gradebook.attempts import Attempt, AttemptNotebook
from autograder.gradebook.released import (
    COMMENTED,
    GRADED,
    BaseCell,
    ReleasedAssignment,
    ReleasedCell,
    ReleasedNotebook,
)
from autograder.gradebook.tables import insert_into, table_of
from autograder.repair import Repaired, Role
from autograder.repair.source import normal

WRITTEN, UNCHANGED, ABSENT = "written", "unchanged", "absent"
NO_RESPONSE = "No response."
# Of columns, not of nbgrader's classes: SQLAlchemy does half as much for each.
_student, _assignment, _notebook, _grade, _comment = (
    table_of(each).c
    for each in (api.Student, api.SubmittedAssignment, api.SubmittedNotebook, api.Grade, api.Comment)
)
_STUDENT = select(_student.id).where(_student.id == bindparam("student"))
_SUBMISSION = select(_assignment.id, _assignment.timestamp).where(
    _assignment.student_id == bindparam("student"), _assignment.assignment_id == bindparam("assignment")
)
_PARTS = select(_notebook.id, _notebook.notebook_id, _notebook.late_submission_penalty).where(
    _notebook.assignment_id == bindparam("submission")
)
_GRADES = select(
    _grade.id, _grade.cell_id, _grade.auto_score, _grade.manual_score, _grade.needs_manual_grade
).where(_grade.notebook_id == bindparam("part"))
_COMMENTS = select(_comment.id, _comment.cell_id, _comment.auto_comment).where(
    _comment.notebook_id == bindparam("part")
)


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


def submission_of(session: Session, assignment: ReleasedAssignment, student: str, newest: datetime) -> str:
    """The id of nbgrader's SubmittedAssignment row; a new one where there is none.

    ``newest`` is the time of the newest submission that was judged: the formgrader takes an older one for
    ungraded.
    """
    time = newest.astimezone(UTC).replace(tzinfo=None)
    known = session.execute(_SUBMISSION, {"student": student, "assignment": assignment.id}).first()
    if known is None:
        if session.execute(_STUDENT, {"student": student}).first() is None:
            session.execute(insert_into(api.Student), {"id": student})
        key = str(api.new_uuid())
        row = {"id": key, "assignment_id": assignment.id, "student_id": student, "timestamp": time}
        session.execute(insert_into(api.SubmittedAssignment), row)
        return key
    if known.timestamp != time:
        _change(session, api.SubmittedAssignment, known.id, timestamp=time)
    return str(known.id)


def write_marks(session: Session, assignment: ReleasedAssignment, submission: str, attempt: Attempt) -> None:
    """Makes an attempt's marks the student's grades. ``submission``: the id of nbgrader's row."""
    judged = {each.name: each for each in attempt.notebooks}
    rows = session.execute(_PARTS, {"submission": submission})
    there = {row.notebook_id: (row.id, row.late_submission_penalty) for row in rows}
    penalty = attempt.penalty
    for notebook in assignment.notebooks:
        kept = judged[notebook.name]
        taken = min(penalty, sum(check.points for check in kept.checks))
        penalty -= taken
        part, before = there.get(notebook.id, (api.new_uuid(), None))
        if notebook.id not in there:
            row = {"id": part, "assignment_id": submission, "notebook_id": notebook.id}
            session.execute(
                insert_into(api.SubmittedNotebook), {**row, "late_submission_penalty": taken or None}
            )
        elif before != (taken or None):
            _change(session, api.SubmittedNotebook, part, late_submission_penalty=taken or None)
        _write_grades(session, notebook, part, kept, fresh=notebook.id not in there)
        _write_comments(session, notebook, part, kept, fresh=notebook.id not in there)


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


def _change(session: Session, entity: Any, key: str, **values: object) -> None:
    session.execute(update(table_of(entity)).where(table_of(entity).c.id == key).values(**values))


def _write_grades(
    session: Session, notebook: ReleasedNotebook, part: str, kept: AttemptNotebook, *, fresh: bool
) -> None:
    points = {check.check: check.points for check in kept.checks}

    def wanted(cell: BaseCell, known: Any) -> dict[str, object]:
        score = auto_score(cell.name, points, kept.answers, problem=bool(kept.problem))
        manual = known is not None and known.manual_score is not None
        return {
            "auto_score": score,
            "needs_manual_grade": not kept.problem and (manual or score is None),
        }

    there = [] if fresh else session.execute(_GRADES, {"part": part}).all()
    _write_cells(session, api.Grade, part, notebook.of(GRADED), there, wanted)


def _write_comments(
    session: Session, notebook: ReleasedNotebook, part: str, kept: AttemptNotebook, *, fresh: bool
) -> None:
    def wanted(cell: BaseCell, known: Any) -> dict[str, object]:
        return {"auto_comment": auto_comment(cell.name, kept.answers, problem=bool(kept.problem))}

    there = [] if fresh else session.execute(_COMMENTS, {"part": part}).all()
    _write_cells(session, api.Comment, part, notebook.of(COMMENTED), there, wanted)


def _write_cells(
    session: Session,
    entity: Any,
    part: str,
    cells: Sequence[BaseCell],
    there: Sequence[Any],
    wanted: Callable[[BaseCell, Any], dict[str, object]],
) -> None:
    """Has each cell's row of this notebook hold what is ``wanted`` of it; a new row where there is none."""
    rows = {row.cell_id: row for row in there}
    new = []
    for cell in cells:
        known = rows.get(cell.id)
        values = wanted(cell, known)
        if known is None:
            new.append({"notebook_id": part, "cell_id": cell.id, **values})
        elif any(getattr(known, name) != value for name, value in values.items()):
            _change(session, entity, known.id, **values)
    if new:
        session.execute(insert_into(entity), new)


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
