"""Where each student stands in each assignment: one look at the gradebook, for export and pages.

Contract: reads only. What was not graded has no points: never 0. After a fault, or while a newer
submission waits, the state says so and the points are those of the grade that still stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.gradebook.attempts import AttemptState
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.tables import AttemptRow, CountingRow, SubmissionRow

Key = tuple[str, str]


class State(StrEnum):
    """GRADED is final; MISSING: nothing came in; PENDING waits for the judge or for a person;
    FAULT: we failed on the newest submission; UNREADABLE: it was no notebook, and is 0."""

    GRADED = "graded"
    MISSING = "missing"
    PENDING = "pending"
    FAULT = "fault"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Standing:
    """One student in one assignment. ``points`` is what counts, lateness taken off; None for none yet.

    ``attempt`` and ``verdict`` are of the attempt that counts; ``note`` says what is waited for.
    """

    student: str
    assignment: str
    state: State
    points: float | None
    max_points: float
    penalty: float = 0.0
    late_seconds: float | None = None
    attempt: int | None = None
    verdict: str = ""
    timestamp: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class _Mark:
    """nbgrader's grade of a submission."""

    points: float
    penalty: float
    to_review: bool
    ungraded: bool


@dataclass(frozen=True)
class _Known:
    """All that the gradebook has, by (student, assignment)."""

    max_points: dict[str, float]
    students: list[str]
    marks: dict[Key, _Mark]
    newest: dict[Key, SubmissionRow]
    last_try: dict[tuple[str, str, str, datetime], AttemptRow]
    counting: dict[Key, AttemptRow]


def read_standings(gradebook: Gradebook) -> tuple[Standing, ...]:
    """Every student in every assignment, by student, in the order of their names."""
    with gradebook.database.reading() as session:
        known = _read(session)
    return tuple(
        _standing(known, (student, assignment))
        for student in known.students
        for assignment in known.max_points
    )


def _read(session: Session) -> _Known:
    attempts = session.scalars(select(AttemptRow).order_by(AttemptRow.id)).all()
    by_id = {row.id: row for row in attempts}
    submissions = session.scalars(select(SubmissionRow).order_by(SubmissionRow.received)).all()
    counting = session.scalars(select(CountingRow)).all()
    assignments = select(api.Assignment.name, api.Assignment.max_score).order_by(api.Assignment.name)
    students = {*session.scalars(select(api.Student.id)), *(row.student for row in submissions)}
    return _Known(
        max_points={row.name: row.max_score for row in session.execute(assignments)},
        students=sorted(students),
        marks=_marks(session),
        newest={(row.student, row.assignment): row for row in submissions},
        last_try={(row.student, row.assignment, row.sha256, row.submitted): row for row in attempts},
        counting={(row.student, row.assignment): by_id[row.attempt_id] for row in counting},
    )


def _marks(session: Session) -> dict[Key, _Mark]:
    table: Any = api.SubmittedAssignment
    wanted = select(
        table.student_id,
        api.Assignment.name,
        table.score,
        table.late_submission_penalty,
        table.needs_manual_grade,
        table.id,
    ).join(api.Assignment, api.Assignment.id == table.assignment_id)
    unmarked = (
        select(api.SubmittedNotebook.assignment_id)
        .join(api.Grade, api.Grade.notebook_id == api.SubmittedNotebook.id)
        .where(api.Grade.auto_score.is_(None), api.Grade.manual_score.is_(None))
    )
    ungraded = set(session.scalars(unmarked))
    return {
        (student, assignment): _Mark(score, penalty, bool(review), number in ungraded)
        for student, assignment, score, penalty, review, number in session.execute(wanted)
    }


def _standing(known: _Known, key: Key) -> Standing:
    mark, counting = known.marks.get(key), known.counting.get(key)
    state, note = _state(known, key, mark)
    return Standing(
        *key,
        state=state,
        points=max(0.0, mark.points - mark.penalty) if mark is not None and not mark.ungraded else None,
        max_points=known.max_points[key[1]],
        penalty=mark.penalty if mark else 0.0,
        late_seconds=counting.late_seconds if counting else None,
        attempt=counting.number if counting else None,
        verdict=counting.verdict if counting else "",
        timestamp=counting.submitted if counting else None,
        note=note,
    )


def _state(known: _Known, key: Key, mark: _Mark | None) -> tuple[State, str]:
    newest = known.newest.get(key)
    if newest is not None:
        tried = known.last_try.get((*key, newest.sha256, newest.received))
        if tried is None:
            return State.PENDING, "new submission, not judged yet"
        if tried.state == AttemptState.FAULT.value:
            return State.FAULT, tried.message
    if mark is None:
        return State.MISSING, ""
    if mark.ungraded:
        return State.PENDING, "waits for a person's grade"
    if mark.to_review:
        return State.PENDING, "waits for a person's review"
    counting = known.counting.get(key)
    if counting is not None and counting.state == AttemptState.UNREADABLE.value:
        return State.UNREADABLE, counting.message
    return State.GRADED, ""
