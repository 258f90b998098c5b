"""What launches told: the endpoints of each course there, and who is who. Kept in the exchange's database.

Contract: a newer launch of the same link replaces the older one; what it doesn't tell stays as it was. A
person's id belongs to one name, the newest. Holds no token and no mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from autograder.errors import AuthorError, PlatformError
from hub.exchange.database import Database
from hub.lti.records import Launch, Person
from hub.lti.tables import LaunchRow, PersonRow, Table
from hub.lti.text import shown

LOCK = "lti launches"


class Launches:
    """The table of launches and people of one course."""

    def __init__(self, database: Database) -> None:
        """Makes the tables where they are missing. Raises PlatformError."""
        self._database = database
        with database.writing("tables") as session:
            Table.metadata.create_all(session.connection())

    def note(self, launch: Launch | None, person: Person | None) -> None:
        """Keeps what a launch told."""
        with self._database.writing(LOCK) as session:
            if launch is not None:
                _note_launch(session, launch)
            if person is not None:
                _note_person(session, person)

    def note_people(self, people: Iterable[Person]) -> None:
        with self._database.writing(LOCK) as session:
            for person in people:
                _note_person(session, person)

    def launches(self) -> tuple[Launch, ...]:
        """The newest first."""
        with self._database.reading() as session:
            rows = session.scalars(select(LaunchRow).order_by(LaunchRow.launched.desc(), LaunchRow.id))
            return tuple(row.record() for row in rows)

    def people(self, issuer: str) -> tuple[Person, ...]:
        """Who logged in through this platform."""
        with self._database.reading() as session:
            rows = session.scalars(select(PersonRow).filter_by(issuer=issuer).order_by(PersonRow.name))
            return tuple(row.record() for row in rows)

    def forget(self, context: str) -> int:
        """Forgets the launches of a course there; the number of them. The log of pushes stays."""
        with self._database.writing(LOCK) as session:
            rows = session.scalars(select(LaunchRow).filter_by(context=context)).all()
            for row in rows:
                session.delete(row)
            return len(rows)

    def course(self, wanted: str = "") -> Launch:
        """The endpoints of the one course there, or of the one with this context id.

        Put together from its newest launches. Raises PlatformError where none is known, AuthorError
        where there are several to choose from.
        """
        found: dict[tuple[str, str, str], Launch] = {}
        for each in self.launches():
            key = (each.registration.issuer, each.deployment, each.context)
            if not wanted or each.context == wanted:
                found[key] = _filled(found[key], each) if key in found else each
        if not found:
            which = f" {shown(wanted)}" if wanted else ""
            raise PlatformError(
                f"no launch of a course{which} is known: open the tool in the course once, as its teacher, "
                "or write its addresses by hand with `mlsys lti register`"
            )
        if len(found) > 1:
            known = ", ".join(f"{shown(each.context)} ({shown(each.title)})" for each in found.values())
            raise AuthorError(f"several courses have been launched: choose one with --context: {known}")
        return next(iter(found.values()))


def is_launched(database: Database) -> bool:
    """Whether a course of a learning platform is known; makes no tables to find out."""
    with database.reading() as session:
        there = inspect(session.connection()).has_table(LaunchRow.__tablename__)
        return there and session.scalars(select(LaunchRow.id).limit(1)).first() is not None


def _note_launch(session: Session, launch: Launch) -> None:
    registration = launch.registration
    key = {
        "issuer": registration.issuer,
        "deployment": launch.deployment,
        "context": launch.context,
        "resource_link": launch.resource_link,
    }
    row = session.scalars(select(LaunchRow).filter_by(**key)).one_or_none()
    if row is not None:
        launch = _filled(launch, row.record())
    else:
        row = LaunchRow(**key)
        session.add(row)
    row.client_id, row.token_url = registration.client_id, registration.token_url
    row.audience, row.hosts = registration.audience, list(registration.hosts)
    row.lineitems, row.lineitem, row.memberships = launch.lineitems, launch.lineitem, launch.memberships
    row.scopes, row.title, row.family = list(launch.scopes), launch.title, launch.family
    row.launched = launch.launched


def _note_person(session: Session, person: Person) -> None:
    key = {"issuer": person.issuer, "user_id": person.user_id}
    row = session.scalars(select(PersonRow).filter_by(**key)).one_or_none()
    if row is None:
        row = PersonRow(**key)
        session.add(row)
    row.name = person.name


def _filled(newer: Launch, older: Launch) -> Launch:
    """The newer launch with what only the older one told."""
    return replace(
        newer,
        lineitems=newer.lineitems or older.lineitems,
        memberships=newer.memberships or older.memberships,
        scopes=newer.scopes or older.scopes,
        title=newer.title or older.title,
        family=newer.family or older.family,
    )
