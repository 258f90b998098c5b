"""Where a course directory's gradebook is: SQLite beside the work, or the database that staff name.

Contract: the environment variable MLSYS_GRADEBOOK_DB decides, else the line in ``gradebook.url`` in
the course directory, else it is ``gradebook.db`` there. SQLite and PostgreSQL are known. A URL
may hold a password: it is never in a message.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from autograder.judge import PlatformError

VARIABLE = "MLSYS_GRADEBOOK_DB"
FILE = "gradebook.url"
DEFAULT = "gradebook.db"
EXAMPLE = "postgresql://mlsys@database.example.org/course"


def gradebook_url(course_dir: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The SQLAlchemy URL of the gradebook. Raises PlatformError for a setting that can't be used."""
    file = course_dir / FILE
    if given := environ.get(VARIABLE, "").strip():
        return _checked(given, VARIABLE)
    if file.is_file():
        return _checked(file.read_text(encoding="utf-8").strip(), str(file))
    return f"sqlite:///{course_dir.resolve() / DEFAULT}"


def gradebook_is_there(course_dir: Path) -> bool:
    """Whether there may be a gradebook yet: the first release makes the course directory's own."""
    own = course_dir.resolve() / DEFAULT
    return gradebook_url(course_dir) != f"sqlite:///{own}" or own.is_file()


def gradebook_has(url: str, assignment: str) -> bool:
    """Whether the gradebook is there and knows the assignment."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        return False
    engine = create_engine(parsed, poolclass=NullPool)
    asked = text("SELECT 1 FROM assignment WHERE name = :name")
    try:
        with engine.connect() as connection:
            return connection.execute(asked, {"name": assignment}).first() is not None
    except SQLAlchemyError:
        return False  # no table yet, or no answer: who writes next says what is wrong


def _checked(given: str, where: str) -> str:
    try:
        url = make_url(given)
    except (ArgumentError, ValueError) as error:
        raise PlatformError(f"{where} is no database URL; write one like {EXAMPLE}") from error
    if url.get_backend_name() == "postgresql":
        return _rendered(url.set(drivername="postgresql+psycopg"))
    if url.get_backend_name() == "sqlite" and Path(url.database or "").is_absolute():
        return _rendered(url)
    raise PlatformError(
        f"{where} names {url.drivername!r}; the gradebook can be in sqlite:////an/absolute/path or in "
        f"PostgreSQL, as in {EXAMPLE}"
    )


def _rendered(url: URL) -> str:
    return url.render_as_string(hide_password=False)
