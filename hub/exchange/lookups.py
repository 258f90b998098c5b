"""What the exchange's tables say: the questions that several of its acts ask.

Contract: reads within the session that it is given, so that an act sees one state of the database.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from course.records import Entry
from hub.exchange.records import Arrival, Terms
from hub.exchange.tables import ExtensionRow, ReleaseRow, ReturnedRow, SubmissionRow


def newest_release(session: Session, assignment: str) -> ReleaseRow | None:
    wanted = select(ReleaseRow).where(ReleaseRow.assignment == assignment)
    return session.scalars(wanted.order_by(ReleaseRow.id.desc()).limit(1)).first()


def newest_submission(session: Session, student: str, assignment: str) -> SubmissionRow | None:
    wanted = select(SubmissionRow).filter_by(student=student, assignment=assignment)
    return session.scalars(wanted.order_by(SubmissionRow.number.desc()).limit(1)).first()


def extended(session: Session, student: str | None) -> dict[tuple[str, str], datetime]:
    """The due dates that extensions have moved, by student and assignment."""
    wanted = select(ExtensionRow).where(ExtensionRow.ended.is_(None))
    if student is not None:
        wanted = wanted.where(ExtensionRow.student == student)
    return {(row.student, row.assignment): row.due for row in session.scalars(wanted)}


def allowed_late(entry: Entry) -> timedelta:
    """How long after its due date an assignment is taken."""
    return timedelta(minutes=entry.late.grace_minutes, days=entry.late.cutoff_days)


def terms_of(session: Session, student: str, entry: Entry) -> Terms:
    """What holds for a student now."""
    due = extended(session, student).get((student, entry.id))
    count = select(func.count()).where(SubmissionRow.student == student, SubmissionRow.assignment == entry.id)
    release = newest_release(session, entry.id)
    return Terms(
        student=student,
        assignment=entry.id,
        opens=entry.release,
        due=due or entry.due,
        closes=(due or entry.due) + allowed_late(entry),
        extended=due is not None,
        most=entry.attempts.most,
        used=session.scalars(count).one(),
        released=release is not None and release.withdrawn is None,
    )


def arrivals(session: Session) -> tuple[Arrival, ...]:
    """The newest submission of each student for each assignment."""
    newest = (
        select(SubmissionRow.student, SubmissionRow.assignment, func.max(SubmissionRow.number).label("n"))
        .group_by(SubmissionRow.student, SubmissionRow.assignment)
        .subquery()
    )
    wanted = select(
        SubmissionRow.student,
        SubmissionRow.assignment,
        SubmissionRow.number,
        SubmissionRow.received,
        SubmissionRow.sha256,
    ).join(
        newest,
        (SubmissionRow.student == newest.c.student)
        & (SubmissionRow.assignment == newest.c.assignment)
        & (SubmissionRow.number == newest.c.n),
    )
    return tuple(Arrival(*row) for row in session.execute(wanted))


def returned_attempts(session: Session) -> dict[tuple[str, str], int]:
    """(student, assignment) -> the attempt whose feedback was given back last."""
    wanted = select(ReturnedRow.student, ReturnedRow.assignment, ReturnedRow.attempt)
    rows = session.execute(wanted.order_by(ReturnedRow.id))
    return {(student, assignment): attempt for student, assignment, attempt in rows}
