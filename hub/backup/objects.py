"""The files of an exchange that keeps them elsewhere: which its database names, out and in."""

from __future__ import annotations

from collections.abc import Generator

from sqlalchemy import URL, select

from hub.exchange.database import Database
from hub.exchange.objects import open_objects
from hub.exchange.tables import ReleaseRow, ReturnedRow, SubmissionRow


def named_objects(database: URL, storage: str) -> Generator[tuple[str, bytes], None, None]:
    """(SHA-256, bytes) of every file that a row names, each once. Raises PlatformError."""
    objects = open_objects(storage)
    for sha256 in sorted(_names(database)):
        yield sha256, objects.get(sha256)


def _names(url: URL) -> set[str]:
    database = Database(url.render_as_string(hide_password=False))
    try:
        with database.reading() as session:
            return {
                str(file["sha256"])
                for table in (ReleaseRow, SubmissionRow, ReturnedRow)
                for files in session.scalars(select(table.files))
                for file in files
            }
    finally:
        database.close()
