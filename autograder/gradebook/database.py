"""Sessions on the gradebook's database: SQLite with WAL, or what a URL names.

Contract: nbgrader made the database (`mlsys release`); our tables are added beside its own. A
writer takes SQLite's lock when its transaction begins, so that two writers wait for each other
instead of failing; readers and the writer never wait for each other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.errors import PlatformError
from autograder.gradebook.tables import CountingRow, Table

BUSY_SECONDS = 30


class Database:
    """The gradebook's database, open until ``close``."""

    def __init__(self, url: str) -> None:
        """Raises PlatformError where there is no gradebook that nbgrader has made."""
        self.url = url
        self._writer = _engine(url, begin="BEGIN IMMEDIATE")
        self._reader = _engine(url, begin="BEGIN")
        try:
            if not inspect(self._reader).has_table("source_cell"):
                raise _no_gradebook(url)
            if not inspect(self._reader).has_table(CountingRow.__tablename__):
                Table.metadata.create_all(self._writer)
        except SQLAlchemyError as error:
            self.close()
            raise PlatformError(f"the gradebook {url} can't be opened: {error}") from error
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
        with _told(self.url), Session(self._writer) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """One look at the gradebook, as it was when the first row was read."""
        with _told(self.url), Session(self._reader) as session:
            yield session


def _engine(url: str, *, begin: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise PlatformError(f"{url!r} is no database URL; write sqlite:///<path>/gradebook.db") from error
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed)
    if not Path(parsed.database or "").is_file():
        raise _no_gradebook(url)
    existing = parsed.set(database=f"file:{quote(parsed.database or '')}")
    existing = existing.update_query_dict({"mode": "rw", "uri": "true"})  # nbgrader makes the file, not we
    engine = create_engine(existing, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _prepare(connection: Any, record: object) -> None:
    """Our own BEGIN instead of the driver's, and the write-ahead log, which stays with the file."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise PlatformError(f"the gradebook {url} failed: {error}; nothing was written") from error


def _no_gradebook(url: str) -> PlatformError:
    return PlatformError(f"{url} holds no gradebook of nbgrader's; run `mlsys release` first")
