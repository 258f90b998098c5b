"""What grades need to know of people beyond the roster: by what the LMS knows them, who is excused.

Contract: each write is one transaction. No two people have one id of a kind: a write that would make
them is an AuthorError, and nothing is kept of it. Names of people are kept to be read, never to match.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import StudentKeys
from autograder.gradebook.intake import require_names
from autograder.gradebook.lms.plan import require_one_each
from hub.exchange.database import Database
from hub.exchange.exchange import Exchange
from hub.exchange.records import Excuse, Member
from hub.exchange.tables import ExcuseRow, LmsKeysRow, MemberRow

LOCK = "lms keys"


def student_keys(exchange: Exchange, others: Iterable[str] = ()) -> dict[str, StudentKeys]:
    """Hub name -> keys, of the students on the roster and of ``others``, whom the gradebook knows where
    nobody keeps a roster. What an LMS's roster said of them goes before what ours says."""
    with exchange.database.reading() as session:
        known = {row.name: _keys(row) for row in session.scalars(select(LmsKeysRow))}
    members = {each.name: each for each in exchange.roster()}
    names = dict.fromkeys([*members, *known, *others])
    return {
        name: _joined(members.get(name, Member(name)), known.get(name))
        for name in names
        if name not in members or not members[name].is_staff
    }


def keep_keys(database: Database, keys: Iterable[StudentKeys]) -> None:
    """Keeps by what the LMS knows these people, all of them or none. Raises AuthorError."""
    with database.writing(LOCK) as session:
        after = {row.name: _keys(row) for row in session.scalars(select(LmsKeysRow))}
        for each in keys:
            require_names(each.name, "any")
            after[each.name] = each
            session.merge(LmsKeysRow(**asdict(each)))
        require_one_each(after.values())


def excuse(exchange: Exchange, student: str, assignment: str, *, by: str, reason: str = "") -> Excuse:
    """An assignment is not asked of a student any more. Raises AuthorError."""
    require_names(student, assignment)
    with exchange.database.writing(f"excuse {student} {assignment}") as session:
        if session.get(MemberRow, student) is None:
            raise AuthorError(f"nobody on the roster is called {student!r}; see `mlsys roster`")
        _end(session, student, assignment, exchange.clock())
        row = ExcuseRow(
            student=student, assignment=assignment, by=by, granted=exchange.clock(), reason=reason
        )
        session.add(row)
        return row.record()


def end_excuse(exchange: Exchange, student: str, assignment: str) -> bool:
    """It is asked again; whether it was excused."""
    with exchange.database.writing(f"excuse {student} {assignment}") as session:
        return _end(session, student, assignment, exchange.clock())


def excuses(database: Database) -> tuple[Excuse, ...]:
    """The excuses that hold, by assignment and student."""
    wanted = select(ExcuseRow).where(ExcuseRow.ended.is_(None))
    with database.reading() as session:
        rows = session.scalars(wanted.order_by(ExcuseRow.assignment, ExcuseRow.student))
        return tuple(row.record() for row in rows)


def _end(session: Session, student: str, assignment: str, now: datetime) -> bool:
    wanted = select(ExcuseRow).filter_by(student=student, assignment=assignment, ended=None)
    held = list(session.scalars(wanted))
    for row in held:
        row.ended = now
    return bool(held)


def _keys(row: LmsKeysRow) -> StudentKeys:
    return StudentKeys(row.name, row.sis_id, row.login, row.email, row.lms_id, row.full_name)


def _joined(member: Member, keys: StudentKeys | None) -> StudentKeys:
    keys = keys or StudentKeys(member.name)
    return replace(keys, email=keys.email or member.email, full_name=keys.full_name or member.full_name)
