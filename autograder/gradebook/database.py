"""Sessions on the gradebook's database: SQLite with WAL, or PostgreSQL where a URL names it.

Contract: nbgrader made the database (`mlsys release`); our tables are added beside its own. A
writer takes the lock when its transaction begins, so that two writers wait for each other instead
of failing; readers and the writer never wait for each other. The lock is SQLite's own; on
PostgreSQL it is on the tables that nbgrader writes too, so that the formgrader waits as well.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.errors import PlatformError
from autograder.gradebook.tables import RegradedRow, Table

BUSY_SECONDS = 30
LOCK_NOT_AVAILABLE, DISK_FULL = "55P03", "53100"  # PostgreSQL's SQLSTATE
DISK = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
# In the order in which nbgrader's own transactions write them: two waiting for each other can't be.
WRITTEN = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")
LOCK = f"LOCK TABLE {', '.join(WRITTEN)} IN SHARE ROW EXCLUSIVE MODE"


class Database:
    """The gradebook's database, open until ``close``."""

    def __init__(self, url: str) -> None:
        """Raises PlatformError where there is no gradebook that nbgrader has made."""
        parsed = _parsed(url)
        self.name = parsed.render_as_string(hide_password=True)
        self._writer = _engine(parsed, writes=True)
        self._reader = _engine(parsed, writes=False)
        try:
            if not inspect(self._reader).has_table("source_cell"):
                raise _no_gradebook(self.name)
            if not inspect(self._reader).has_table(RegradedRow.__tablename__):
                Table.metadata.create_all(self._writer)
        except (SQLAlchemyError, sqlite3.Error) as error:
            self.close()
            raise _failed(self.name, error) from error
        except PlatformError:
            self.close()
            raise

    def close(self) -> None:
        """Closes all connections."""
        self._writer.dispose()
        self._reader.dispose()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: all that is written in it is kept, or none of it."""
        with _told(self.name), Session(self._writer) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """One look at the gradebook, as it was when the first row was read."""
        with _told(self.name), Session(self._reader) as session:
            yield session


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise PlatformError("the gradebook's URL is none; write sqlite:///<path>/gradebook.db") from error


def _engine(url: URL, *, writes: bool) -> Engine:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return _sqlite(url, begin="BEGIN IMMEDIATE" if writes else "BEGIN")
    if backend == "postgresql":
        return _postgres(url, writes=writes)
    raise PlatformError(f"the gradebook can't be in {url.drivername!r}: SQLite and PostgreSQL are known")


def _sqlite(url: URL, *, begin: str) -> Engine:
    if not Path(url.database or "").is_file():
        raise _no_gradebook(url.render_as_string(hide_password=True))
    existing = url.set(database=f"file:{quote(url.database or '')}")
    existing = existing.update_query_dict({"mode": "rw", "uri": "true"})  # nbgrader makes the file, not we
    engine = create_engine(existing, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _postgres(url: URL, *, writes: bool) -> Engine:
    """A reader sees one state of the database through its whole transaction, as on SQLite."""
    isolation: Any = "READ COMMITTED" if writes else "REPEATABLE READ"
    engine = create_engine(url, isolation_level=isolation, pool_pre_ping=True)
    if writes:
        event.listen(engine, "begin", _lock)
    return engine


def _lock(connection: Connection) -> None:
    """The one writer's lock; who can't have it in time is told so, and may come again."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
    connection.exec_driver_sql(LOCK)


def _prepare(connection: Any, record: object) -> None:
    """Our own BEGIN instead of the driver's, and the write-ahead log, which stays with the file."""
    connection.isolation_level = None
    use_write_ahead_log(connection, BUSY_SECONDS)


def use_write_ahead_log(connection: Any, seconds: float) -> None:
    """For an SQLite database, by a connection that waits so long for others, here as well as later."""
    connection.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}")
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            # Who changes the mode while another one writes is refused at once: SQLite doesn't wait here.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _failed(name, error) from error


def _failed(name: str, error: Exception) -> PlatformError:
    """In words, without the statement: it may hold what isn't everybody's to read."""
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF or getattr(cause, "sqlstate", "")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, LOCK_NOT_AVAILABLE):
        what = f"has been locked by another program for more than {BUSY_SECONDS} seconds"
        advice = "end what else writes to it (a formgrader, a backup, a database browser)"
    elif code in (sqlite3.SQLITE_FULL, DISK_FULL):
        what, advice = "can't grow: the disk is full", "make room"
    else:
        what = f"failed: {str(cause).strip()}"
        advice = "see whether the disk is full or can't be written" if code in DISK else "see to the database"
    return PlatformError(
        f"the gradebook {name} {what}. Nothing was written: {advice}, then run the same again"
    )


def _no_gradebook(name: str) -> PlatformError:
    return PlatformError(f"{name} holds no gradebook of nbgrader's; run `mlsys release` first")
