"""Our tables, beside nbgrader's in the same database. Rows are added, never changed.

The one exception is ``mlsys_counting_attempt``, a pointer: which attempt nbgrader's grades show.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Insert,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    insert,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone: stored as UTC without one, which every database keeps."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a time zone")
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Table(DeclarativeBase):
    """The base of our tables; nbgrader's have a base of their own."""


def table_of(entity: Any) -> Any:
    """The table behind a class of rows, ours or nbgrader's: to write rows without making objects of them."""
    return entity.__table__


@cache
def insert_into(entity: Any) -> Insert:
    """The statement that adds rows to it, made once."""
    return insert(table_of(entity))


class SubmissionRow(Table):
    """A submission that came in, judged or not."""

    __tablename__ = "mlsys_submission"
    __table_args__ = (UniqueConstraint("student", "assignment", "sha256", "received"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(String(128), index=True)
    assignment: Mapped[str] = mapped_column(String(128))
    sha256: Mapped[str] = mapped_column(String(64))
    received: Mapped[datetime] = mapped_column(UtcTime)


class AttemptRow(Table):
    """One grading of one submission."""

    __tablename__ = "mlsys_attempt"
    __table_args__ = (UniqueConstraint("student", "assignment", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(String(128), index=True)
    assignment: Mapped[str] = mapped_column(String(128), index=True)
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    submitted: Mapped[datetime] = mapped_column(UtcTime)
    graded: Mapped[datetime] = mapped_column(UtcTime)
    late_seconds: Mapped[float]
    penalty: Mapped[float]
    state: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str] = mapped_column(String(16))
    points: Mapped[float]
    max_points: Mapped[float]
    message: Mapped[str] = mapped_column(Text)
    source_version: Mapped[str] = mapped_column(String(64))
    package_version: Mapped[str] = mapped_column(String(64))
    notebooks: Mapped[list[NotebookRow]] = relationship(order_by="NotebookRow.id", cascade="all")


class NotebookRow(Table):
    """One notebook of an attempt. ``answers``: for each solution cell, what became of it."""

    __tablename__ = "mlsys_attempt_notebook"
    __table_args__ = (UniqueConstraint("attempt_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("mlsys_attempt.id"), index=True)
    name: Mapped[str] = mapped_column(String(128))
    problem: Mapped[str] = mapped_column(Text)
    cpu_seconds: Mapped[float]
    peak_bytes: Mapped[int] = mapped_column(BigInteger)
    wall_seconds: Mapped[float]
    repairs: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    answers: Mapped[dict[str, str]] = mapped_column(JSON)
    checks: Mapped[list[CheckRow]] = relationship(order_by="CheckRow.position", cascade="all")


class CheckRow(Table):
    """One check of one notebook of an attempt."""

    __tablename__ = "mlsys_check_result"
    __table_args__ = (UniqueConstraint("notebook_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    notebook_id: Mapped[int] = mapped_column(ForeignKey("mlsys_attempt_notebook.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(128))
    question: Mapped[str] = mapped_column(String(128))
    verdict: Mapped[str] = mapped_column(String(16))
    points: Mapped[float]
    max_points: Mapped[float]
    message: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float]
    race: Mapped[str | None] = mapped_column(Text)


class CountingRow(Table):
    """Which attempt counts."""

    __tablename__ = "mlsys_counting_attempt"

    student: Mapped[str] = mapped_column(String(128), primary_key=True)
    assignment: Mapped[str] = mapped_column(String(128), primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("mlsys_attempt.id"))


class RegradingRow(Table):
    """One regrading that was published, or the taking back of one: who, when, why, and all that changed.

    ``changes``: nbgrader's rows before and after, compressed (see ``regrading.ledger``). ``layout``: the
    digest of the assignment's cells afterwards. ``last_attempt``: the newest attempt at that time.
    """

    __tablename__ = "mlsys_regrading"

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment: Mapped[str] = mapped_column(String(128), index=True)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("mlsys_regrading.id"), unique=True)
    by: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text)
    policy: Mapped[str] = mapped_column(String(16))
    source_before: Mapped[list[str]] = mapped_column(JSON)
    source_after: Mapped[list[str]] = mapped_column(JSON)
    code_version: Mapped[str] = mapped_column(String(128))
    environment: Mapped[str] = mapped_column(String(64))
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    layout: Mapped[str] = mapped_column(String(64))
    last_attempt: Mapped[int]
    changes: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class RegradedRow(Table):
    """An attempt that a regrading brought. ``lower``: it would have cost points, and was passed over."""

    __tablename__ = "mlsys_regraded"

    attempt_id: Mapped[int] = mapped_column(ForeignKey("mlsys_attempt.id"), primary_key=True)
    regrading_id: Mapped[int] = mapped_column(ForeignKey("mlsys_regrading.id"), index=True)
    lower: Mapped[bool]
