"""The log of what was pushed: before a score is sent, what was answered, what was read back.

Contract: append-only, in the exchange's database. ``intend`` is on the disk before a score goes out, so
a killed push leaves what it may have sent. Of a line item, a user and a second there is one score: times
rise by a second at least, whichever process pushes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select

from hub.exchange.database import Database
from hub.lti.records import LineItem, Result
from hub.lti.tables import AnswerRow, ReadingRow, ScoreRow, Table

LOCK = "lti push"


class Outcome(StrEnum):
    """What the platform answered: ACCEPTED; CONFLICT: it has a score of that second or a later one;
    REFUSED; UNKNOWN: the connection broke."""

    ACCEPTED = "accepted"
    CONFLICT = "conflict"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Intent:
    """A score about to be sent. ``version``: of the attempt it is of."""

    assignment: str
    student: str
    user_id: str
    score: float
    maximum: float
    version: int | None
    stamp: datetime


@dataclass(frozen=True)
class Reply:
    """What came of a score that was sent; ``id`` is the log's."""

    id: int
    outcome: Outcome
    status: int | None = None


@dataclass(frozen=True)
class Past:
    """Of one user in a line item: the time of the last score that was sent, and the (score, maximum) that
    the platform may show because of us."""

    stamp: datetime
    ours: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Entry:
    """A score of the log with what came of it. ``there``: (score, maximum) that were read back last."""

    run: str
    item: str
    assignment: str
    student: str
    user_id: str
    score: float
    maximum: float
    version: int | None
    stamp: datetime
    outcome: Outcome
    status: int | None
    there: tuple[float, float] | None

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "stamp": self.stamp.isoformat(), "outcome": self.outcome.value}


class PushLog:
    """The log of one course."""

    def __init__(self, database: Database) -> None:
        """Makes the tables where they are missing. Raises PlatformError."""
        self._database = database
        with database.writing("tables") as session:
            Table.metadata.create_all(session.connection())

    def intend(
        self, run: str, item: LineItem, place: tuple[str, str], intents: Sequence[Intent]
    ) -> list[int]:
        """Notes scores that are sent next. ``place``: issuer and context. Raises PlatformError, also where
        another process has sent one of this second."""
        issuer, context = place
        rows = [
            ScoreRow(
                key=_key(item.id, each),
                run=run,
                item=item.id,
                issuer=issuer,
                context=context,
                assignment=each.assignment,
                student=each.student,
                user_id=each.user_id,
                score=each.score,
                maximum=each.maximum,
                version=each.version,
                stamp=each.stamp,
            )
            for each in intents
        ]
        with self._database.writing(LOCK) as session:
            session.add_all(rows)
            session.flush()
            return [row.id for row in rows]

    def answered(self, replies: Iterable[Reply], now: datetime) -> None:
        values = [
            {"score_id": each.id, "at": now, "outcome": each.outcome.value, "status": each.status}
            for each in replies
        ]
        self._add(AnswerRow, values)

    def seen(self, readings: Iterable[tuple[int, Result | None]], now: datetime) -> None:
        """Notes what the platform shows after scores were sent."""
        values = [
            {
                "score_id": number,
                "at": now,
                "score": result.score if result is not None else None,
                "maximum": result.maximum if result is not None else None,
            }
            for number, result in readings
        ]
        self._add(ReadingRow, values)

    def past(self, item: LineItem) -> dict[str, Past]:
        """What was sent to a line item, by user id."""
        scores = select(
            ScoreRow.id, ScoreRow.user_id, ScoreRow.score, ScoreRow.maximum, ScoreRow.stamp
        ).where(ScoreRow.item == item.id)
        with self._database.reading() as session:
            sent = session.execute(scores.order_by(ScoreRow.id)).all()
            accepted = {
                number
                for (number,) in session.execute(
                    select(AnswerRow.score_id)
                    .join(ScoreRow, ScoreRow.id == AnswerRow.score_id)
                    .where(ScoreRow.item == item.id, AnswerRow.outcome == Outcome.ACCEPTED.value)
                )
            }
            read: dict[int, tuple[float, float]] = {
                number: (score, maximum)
                for number, score, maximum in session.execute(
                    select(ReadingRow.score_id, ReadingRow.score, ReadingRow.maximum)
                    .join(ScoreRow, ScoreRow.id == ReadingRow.score_id)
                    .where(ScoreRow.item == item.id, ReadingRow.score.is_not(None))
                    .order_by(ReadingRow.id)
                )
                if score is not None and maximum is not None
            }
        found: dict[str, Past] = {}
        for number, user_id, score, maximum, stamp in sent:
            before = found.get(user_id)
            ours = () if before is None or number in accepted else before.ours
            more = ((score, maximum), *([read[number]] if number in read else []))
            latest = stamp if before is None else max(stamp, before.stamp)
            found[user_id] = Past(latest, (*ours, *more))
        return found

    def last_item(self, assignment: str, context: str) -> str:
        """The line item to which the assignment's scores went last, "" if none did."""
        wanted = (
            select(ScoreRow.item)
            .filter_by(assignment=assignment, context=context)
            .order_by(ScoreRow.id.desc())
            .limit(1)
        )
        with self._database.reading() as session:
            return session.scalars(wanted).first() or ""

    def entries(self, assignment: str | None = None, students: Sequence[str] = ()) -> tuple[Entry, ...]:
        """All that was sent, oldest first; of one assignment or some students where that is given."""
        wanted = select(ScoreRow).order_by(ScoreRow.id)
        if assignment is not None:
            wanted = wanted.where(ScoreRow.assignment == assignment)
        if students:
            wanted = wanted.where(ScoreRow.student.in_(students))
        with self._database.reading() as session:
            rows = session.scalars(wanted).all()
            answers = {row.score_id: row for row in session.scalars(select(AnswerRow).order_by(AnswerRow.id))}
            reads = {row.score_id: row for row in session.scalars(select(ReadingRow).order_by(ReadingRow.id))}
        return tuple(_entry(row, answers.get(row.id), reads.get(row.id)) for row in rows)

    def _add(self, table: Any, values: list[dict[str, Any]]) -> None:
        if values:
            with self._database.writing(LOCK) as session:
                session.execute(insert(table), values)


def _entry(row: ScoreRow, answer: AnswerRow | None, read: ReadingRow | None) -> Entry:
    is_shown = read is not None and read.score is not None and read.maximum is not None
    return Entry(
        run=row.run,
        item=row.item,
        assignment=row.assignment,
        student=row.student,
        user_id=row.user_id,
        score=row.score,
        maximum=row.maximum,
        version=row.version,
        stamp=row.stamp,
        outcome=Outcome(answer.outcome) if answer is not None else Outcome.UNKNOWN,
        status=answer.status if answer is not None else None,
        there=(read.score, read.maximum) if is_shown else None,  # type: ignore[union-attr,arg-type]
    )


def _key(item: str, intent: Intent) -> str:
    second = int(intent.stamp.timestamp())
    return hashlib.sha256(f"{item}\0{intent.user_id}\0{second}".encode()).hexdigest()
