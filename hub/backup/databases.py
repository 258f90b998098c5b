"""Copies of databases that are in use: each is the database at one moment, whole.

SQLite through its own backup call; PostgreSQL through pg_dump and pg_restore (Debian's package
``postgresql-client``). A password goes to them in the environment, never on a command line.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from autograder.errors import PlatformError

BUSY_SECONDS = 60
PACKAGE = "postgresql-client"
TABLES = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public'"


def parse(url: str) -> URL:
    """Raises PlatformError for what is no URL of SQLite or PostgreSQL, without telling it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise PlatformError("a database's URL is none; write postgresql://user@host/name") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise PlatformError(f"{parsed.drivername!r} can't be backed up: SQLite and PostgreSQL are known")
    return parsed


def copy_sqlite(source: Path, target: Path) -> None:
    """The database as it was at one moment, while others write. Raises PlatformError."""
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise PlatformError(f"{source} is damaged; look at it with `sqlite3 {source} .recover`")
            # A copy stands alone: no write-ahead log beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise PlatformError(f"{source} can't be copied: {error}; nothing was backed up") from error


def dump_postgres(url: URL, target: Path) -> None:
    """A dump in pg_dump's own format. Raises PlatformError."""
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def restore_postgres(url: URL, dump: Path) -> None:
    """Fills an empty database from a dump, whole or not at all. Raises PlatformError."""
    options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    _run("pg_restore", url, *options, str(dump))


def require_empty(url: URL) -> None:
    """Raises PlatformError unless the database is there and has no table."""
    name = url.render_as_string(hide_password=True)
    found = _run("psql", url, "--no-psqlrc", "--tuples-only", "--no-align", f"--command={TABLES}").strip()
    if found != "0":
        raise PlatformError(f"{name} has tables already; make a new database for the restored course")


def _run(program: str, url: URL, *options: str) -> str:
    """What one of PostgreSQL's programs prints."""
    found = shutil.which(program)
    if found is None:
        raise PlatformError(f"{program} is missing; install Debian's package {PACKAGE}")
    command = [found, *options[:-1], f"--dbname={conninfo(url)}", *options[-1:]]
    done = subprocess.run(  # noqa: S603 - PostgreSQL's program, with arguments of ours
        command,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})},
        check=False,
    )
    if done.returncode != 0:
        name = url.render_as_string(hide_password=True)
        said = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
        raise PlatformError(f"{program} failed on {name}: {said}")
    return done.stdout


def conninfo(url: URL) -> str:
    """libpq's words for a URL, but for the password."""
    query = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    known = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database, **query}
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in known.items() if value is not None)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
