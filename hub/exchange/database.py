"""The exchange's database: SQLite that survives a power cut, or PostgreSQL by its URL.

Contract: ``writing`` is one transaction, on the disk when it returns. Writers of the same thing wait for
each other: on SQLite because there is one writer at a time, on PostgreSQL by an advisory lock on the name
that ``writing`` is given. Threads of this process wait in a queue instead of polling for SQLite's lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.errors import PlatformError
from autograder.gradebook.database import use_write_ahead_log
from hub.exchange.tables import SettingRow, Table

VERSION = b"1"
BUSY_SECONDS = 30
CONNECTIONS = 20
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite",
}


class Database:
    """The database behind one URL, open until ``close``. Safe from several threads."""

    def __init__(self, url: str) -> None:
        """Makes the tables where they are missing. Raises PlatformError."""
        parsed = _parsed(url)
        self.name = parsed.render_as_string(hide_password=True)
        self._is_sqlite = parsed.get_backend_name() == "sqlite"
        self._queue = threading.Lock() if self._is_sqlite else contextlib.nullcontext()
        self._writer = _engine(parsed, begin="BEGIN IMMEDIATE")
        self._reader = _engine(parsed, begin="BEGIN") if self._is_sqlite else self._writer
        try:
            with self.writing("tables") as session:
                Table.metadata.create_all(session.connection())
                _require_version(session, self.name)
        except PlatformError:
            self.close()
            raise

    def close(self) -> None:
        """Closes all connections."""
        self._writer.dispose()
        self._reader.dispose()

    @contextlib.contextmanager
    def writing(self, lock: str) -> Iterator[Session]:
        """One transaction, alone among those with the same ``lock``: all of it is kept, or nothing."""
        with (
            self._told(),
            self._queue,
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            if not self._is_sqlite:
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _number(lock)})
            yield session

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """One look at the database."""
        with self._told(), Session(self._reader) as session:
            yield session

    def setting(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What is remembered under ``name``; made and kept on first use."""
        with self.writing("settings") as session:
            row = session.get(SettingRow, name)
            if row is None:
                row = SettingRow(name=name, value=make())
                session.add(row)
            return row.value

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise PlatformError(
                f"the exchange's database {self.name} failed: {error}; nothing was written"
            ) from error


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise PlatformError(
            "the exchange's database is no URL; write sqlite:///<path>/exchange.db"
        ) from error
    if parsed.drivername not in DRIVERS:
        raise PlatformError(f"{parsed.drivername!r} is no database of the exchange's: {', '.join(DRIVERS)}")
    return parsed.set(drivername=DRIVERS[parsed.drivername])


def _engine(url: URL, *, begin: str) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True)
    _make_private(Path(url.database or ""))
    engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=0, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _make_private(file: Path) -> None:
    """A database file that its owner alone can read."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise PlatformError(f"{file} can't be opened: {error.strerror}; name a course directory") from error


def _prepare(connection: Any, record: object) -> None:
    """Our own BEGIN instead of the driver's; a commit is on the disk before it returns."""
    connection.isolation_level = None
    use_write_ahead_log(connection, BUSY_SECONDS)
    connection.execute("PRAGMA synchronous=FULL")


def _require_version(session: Session, name: str) -> None:
    row = session.get(SettingRow, "version")
    if row is None:
        session.add(SettingRow(name="version", value=VERSION))
    elif row.value != VERSION:
        raise PlatformError(
            f"{name} has tables of version {row.value.decode()}, this program knows {VERSION.decode()}; "
            "use the program that made it"
        )


def _number(lock: str) -> int:
    """A lock's name as the signed 64 bits that PostgreSQL wants."""
    return int.from_bytes(hashlib.sha256(lock.encode()).digest()[:8], "big", signed=True)
