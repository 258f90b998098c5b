"""The exchange's tables. Rows of releases, submissions and feedback are added, never changed.

What can end (a release, an extension) keeps its row and gets the time at which it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from autograder.gradebook.tables import UtcTime
from hub.exchange.records import Excuse, Extension, Member, Release, Returned, Role, StoredFile

Files = list[dict[str, Any]]


class Table(DeclarativeBase):
    """The base of the exchange's tables."""


class SettingRow(Table):
    """What the exchange has to remember about itself: the version of its tables, its keys."""

    __tablename__ = "exchange_setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


class MemberRow(Table):
    """Somebody on the roster."""

    __tablename__ = "exchange_member"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    full_name: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(Text, default="")

    def record(self) -> Member:
        return Member(self.name, Role(self.role), self.full_name, self.email)


class LmsKeysRow(Table):
    """By what the LMS knows somebody on the hub; "" for what isn't known. See ``hub.exchange.people``."""

    __tablename__ = "exchange_lms_keys"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    sis_id: Mapped[str] = mapped_column(Text, default="")
    login: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(Text, default="")
    lms_id: Mapped[str] = mapped_column(Text, default="")
    full_name: Mapped[str] = mapped_column(Text, default="")


class ExcuseRow(Table):
    """A student of whom an assignment isn't asked, until it ended."""

    __tablename__ = "exchange_excuse"

    id: Mapped[int] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(String(128), index=True)
    assignment: Mapped[str] = mapped_column(String(128), index=True)
    by: Mapped[str] = mapped_column("granted_by", String(128))
    granted: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text)
    ended: Mapped[datetime | None] = mapped_column(UtcTime)

    def record(self) -> Excuse:
        return Excuse(self.student, self.assignment, self.by, self.granted, self.reason)


class ReleaseRow(Table):
    """One version of what students fetch; the newest of an assignment is the one that holds."""

    __tablename__ = "exchange_release"

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment: Mapped[str] = mapped_column(String(128), index=True)
    version: Mapped[str] = mapped_column(String(64))
    released: Mapped[datetime] = mapped_column(UtcTime)
    withdrawn: Mapped[datetime | None] = mapped_column(UtcTime)
    files: Mapped[Files] = mapped_column(JSON)
    accepts: Mapped[list[str]] = mapped_column(JSON)

    def record(self) -> Release:
        return Release(self.assignment, self.version, self.released, stored(self.files), tuple(self.accepts))


class ExtensionRow(Table):
    """A later due date; of a student and an assignment the newest that has not ended holds."""

    __tablename__ = "exchange_extension"

    id: Mapped[int] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(String(128), index=True)
    assignment: Mapped[str] = mapped_column(String(128), index=True)
    due: Mapped[datetime] = mapped_column(UtcTime)
    by: Mapped[str] = mapped_column("granted_by", String(128))
    granted: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text)
    ended: Mapped[datetime | None] = mapped_column(UtcTime)

    def record(self) -> Extension:
        return Extension(self.student, self.assignment, self.due, self.by, self.granted, self.reason)


class SubmissionRow(Table):
    """A submission that was acknowledged. Two of the same number can't be."""

    __tablename__ = "exchange_submission"
    __table_args__ = (UniqueConstraint("student", "assignment", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(String(128))
    assignment: Mapped[str] = mapped_column(String(128), index=True)
    number: Mapped[int]
    received: Mapped[datetime] = mapped_column(UtcTime)
    sha256: Mapped[str] = mapped_column(String(64))
    files: Mapped[Files] = mapped_column(JSON)
    ignored: Mapped[list[str]] = mapped_column(JSON)


class ReturnedRow(Table):
    """Feedback that a student may read."""

    __tablename__ = "exchange_returned"
    __table_args__ = (Index("exchange_returned_of", "student", "assignment"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(String(128))
    assignment: Mapped[str] = mapped_column(String(128))
    sha256: Mapped[str] = mapped_column(String(64))
    attempt: Mapped[int]
    returned: Mapped[datetime] = mapped_column(UtcTime)
    files: Mapped[Files] = mapped_column(JSON)

    def record(self) -> Returned:
        return Returned(
            self.id,
            self.student,
            self.assignment,
            self.sha256,
            self.attempt,
            self.returned,
            stored(self.files),
        )


def stored(files: Files) -> tuple[StoredFile, ...]:
    """The files of a row."""
    return tuple(StoredFile(**each) for each in files)


def as_rows(files: Sequence[StoredFile]) -> Files:
    """Files as a row holds them."""
    return [asdict(each) for each in files]
