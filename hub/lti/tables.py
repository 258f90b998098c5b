"""The tables of LTI, in the exchange's database: launches, people, and the log of what was pushed.

Launches are replaced by newer ones. The log is append-only: a score has a row before it is sent, its answers
and readings rows of their own, so a process that is killed leaves what it may have sent.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from autograder.gradebook.tables import UtcTime
from hub.lti.records import Launch, Person, Registration

Id = BigInteger().with_variant(Integer, "sqlite")


class Table(DeclarativeBase):
    """The base of LTI's tables."""


class LaunchRow(Table):
    """The newest launch of one link of one course, or what a person registered."""

    __tablename__ = "lti_launch"
    __table_args__ = (UniqueConstraint("issuer", "deployment", "context", "resource_link"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    issuer: Mapped[str] = mapped_column(Text)
    deployment: Mapped[str] = mapped_column(Text)
    context: Mapped[str] = mapped_column(Text)
    resource_link: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    token_url: Mapped[str] = mapped_column(Text)
    audience: Mapped[str] = mapped_column(Text)
    hosts: Mapped[list[str]] = mapped_column(JSON)
    lineitems: Mapped[str] = mapped_column(Text)
    lineitem: Mapped[str] = mapped_column(Text)
    memberships: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    title: Mapped[str] = mapped_column(Text)
    family: Mapped[str] = mapped_column(Text)
    launched: Mapped[datetime] = mapped_column(UtcTime)

    def record(self) -> Launch:
        registration = Registration(
            self.issuer, self.client_id, self.token_url, tuple(self.hosts), self.audience
        )
        return Launch(
            registration,
            self.deployment,
            self.context,
            self.resource_link,
            self.launched,
            lineitems=self.lineitems,
            lineitem=self.lineitem,
            memberships=self.memberships,
            scopes=tuple(self.scopes),
            title=self.title,
            family=self.family,
        )


class PersonRow(Table):
    """Who logged in through a platform, under which name."""

    __tablename__ = "lti_person"
    __table_args__ = (UniqueConstraint("issuer", "user_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    issuer: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(String(128), index=True)

    def record(self) -> Person:
        return Person(self.issuer, self.user_id, self.name)


class ScoreRow(Table):
    """A score that was about to be sent. ``key``: of this line item, user and second; a second one can't
    be, whoever pushes. ``run``: the push that it belongs to."""

    __tablename__ = "lti_score"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    run: Mapped[str] = mapped_column(String(32), index=True)
    item: Mapped[str] = mapped_column(Text, index=True)
    issuer: Mapped[str] = mapped_column(Text)
    context: Mapped[str] = mapped_column(Text)
    assignment: Mapped[str] = mapped_column(String(128), index=True)
    student: Mapped[str] = mapped_column(String(128))
    user_id: Mapped[str] = mapped_column(Text)
    score: Mapped[float] = mapped_column(Float)
    maximum: Mapped[float] = mapped_column(Float)
    version: Mapped[int | None] = mapped_column(Integer)
    stamp: Mapped[datetime] = mapped_column(UtcTime)


class AnswerRow(Table):
    """What came of sending a score: ``outcome`` of ``hub.lti.log.Outcome``; ``status``: HTTP's, or None."""

    __tablename__ = "lti_answer"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    score_id: Mapped[int] = mapped_column(ForeignKey("lti_score.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    outcome: Mapped[str] = mapped_column(String(16))
    status: Mapped[int | None] = mapped_column(Integer)


class ReadingRow(Table):
    """What the platform showed for the user after the push; ``score`` None: nothing."""

    __tablename__ = "lti_reading"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    score_id: Mapped[int] = mapped_column(ForeignKey("lti_score.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    score: Mapped[float | None] = mapped_column(Float)
    maximum: Mapped[float | None] = mapped_column(Float)
