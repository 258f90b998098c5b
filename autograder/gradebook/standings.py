"""Where each student stands in each assignment: one look at the gradebook, for export and pages.

Contract: reads only. What was not graded has no points: never 0. After a fault, or while a newer
submission waits, the state says so and the points are those of the grade that still stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from nbgrader import api
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from autograder.gradebook.asides import undone
from autograder.gradebook.attempts import AttemptState
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.tables import AttemptRow, CountingRow, SubmissionRow

Key = tuple[str, str]

NOT_JUDGED = "new submission, not judged yet"


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


class _Try(NamedTuple):
    """An attempt, without its checks."""

    id: int
    student: str
    assignment: str
    number: int
    sha256: str
    submitted: datetime
    late_seconds: float
    state: str
    verdict: str
    message: str


class _Arrival(NamedTuple):
    """A submission that came in."""

    student: str
    assignment: str
    sha256: str
    received: datetime


@dataclass(frozen=True)
class _Known:
    """All that the gradebook has, by (student, assignment)."""

    max_points: dict[str, float]
    students: list[str]
    marks: dict[Key, _Mark]
    newest: dict[Key, _Arrival]
    last_try: dict[tuple[str, str, str, datetime], _Try]
    counting: dict[Key, _Try]


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
    """All of it in six queries over whole tables: a query a student would take minutes for a class."""
    tries: Any = select(
        AttemptRow.id, AttemptRow.student, AttemptRow.assignment, AttemptRow.number, AttemptRow.sha256,
        AttemptRow.submitted, AttemptRow.late_seconds, AttemptRow.state, AttemptRow.verdict,
        AttemptRow.message,
    ).order_by(AttemptRow.id)  # fmt: skip
    taken_back = set(session.scalars(undone()))
    attempts = [_Try(*row) for row in session.execute(tries) if row.id not in taken_back]
    by_id = {row.id: row for row in attempts}
    arrivals = select(
        SubmissionRow.student, SubmissionRow.assignment, SubmissionRow.sha256, SubmissionRow.received
    )
    submissions = [_Arrival(*row) for row in session.execute(arrivals.order_by(SubmissionRow.received))]
    counting = select(CountingRow.student, CountingRow.assignment, CountingRow.attempt_id)
    assignments = select(api.Assignment.name, api.Assignment.max_score).order_by(api.Assignment.name)
    students = {*session.scalars(select(api.Student.id)), *(row.student for row in submissions)}
    return _Known(
        max_points={row.name: row.max_score for row in session.execute(assignments)},
        students=sorted(students),
        marks=_marks(session),
        newest={(row.student, row.assignment): row for row in submissions},
        last_try={(row.student, row.assignment, row.sha256, row.submitted): row for row in attempts},
        counting={(student, name): by_id[number] for student, name, number in session.execute(counting)},
    )


def _marks(session: Session) -> dict[Key, _Mark]:
    """nbgrader's grades by submission. Its own ``score`` columns run three queries a row instead."""
    scores: dict[str, tuple[float, bool, bool]] = {
        number: (score or 0.0, bool(review), bool(ungraded))
        for number, score, review, ungraded in session.execute(_scores())
    }
    notebook: Any = api.SubmittedNotebook
    penalties: dict[str, float] = {
        number: penalty or 0.0
        for number, penalty in session.execute(
            select(notebook.assignment_id, func.sum(notebook.late_submission_penalty)).group_by(
                notebook.assignment_id
            )
        )
    }
    submitted: Any = api.SubmittedAssignment
    wanted = select(submitted.id, submitted.student_id, api.Assignment.name).join(
        api.Assignment, api.Assignment.id == submitted.assignment_id
    )
    found = {}
    for number, student, assignment in session.execute(wanted):
        score, review, ungraded = scores.get(number, (0.0, False, False))
        found[student, assignment] = _Mark(score, penalties.get(number, 0.0), review, ungraded)
    return found


def _scores() -> Any:
    """(submission, points, whether a person has to look, whether a cell has no mark at all)."""
    grade: Any = api.Grade
    return (
        select(
            api.SubmittedNotebook.assignment_id,
            func.sum(grade.score),
            func.max(case((grade.needs_manual_grade, 1), else_=0)),
            func.max(case((grade.auto_score.is_(None) & grade.manual_score.is_(None), 1), else_=0)),
        )
        .join(api.SubmittedNotebook, api.SubmittedNotebook.id == grade.notebook_id)
        .group_by(api.SubmittedNotebook.assignment_id)
    )


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
            return State.PENDING, NOT_JUDGED
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
