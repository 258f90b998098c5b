"""Where a course's exchange keeps things: in the course directory, or where staff say.

Contract: an environment variable decides, else the line in a file of the course directory (which
`mlsys up` writes from hub.toml, so that commands and the hub agree), else it is the course directory.
A URL may hold a password: the files are their owner's alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

DATABASE_VARIABLE, STORAGE_VARIABLE = "MLSYS_EXCHANGE_DB", "MLSYS_EXCHANGE_STORAGE"
DATABASE_FILE, STORAGE_FILE = "exchange.url", "exchange-files.url"
OWN_DATABASE = "exchange.db"


def exchange_database(course_dir: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The SQLAlchemy URL of the exchange's database."""
    named = _named(course_dir, environment, DATABASE_VARIABLE, DATABASE_FILE)
    return named or f"sqlite:///{course_dir.resolve() / OWN_DATABASE}"


def exchange_storage(course_dir: Path, environment: Mapping[str, str] = os.environ) -> str | None:
    """The fsspec URL or path of its files; None for the course directory's own folder."""
    return _named(course_dir, environment, STORAGE_VARIABLE, STORAGE_FILE) or None


def exchange_is_there(course_dir: Path) -> bool:
    """Whether there may be an exchange yet."""
    own = course_dir.resolve() / OWN_DATABASE
    return exchange_database(course_dir) != f"sqlite:///{own}" or own.is_file()


def note_place(course_dir: Path, file: str, url: str) -> None:
    """Writes one of the files, where ``url`` is not ""."""
    if url:
        descriptor = os.open(course_dir / file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(url + "\n")


def _named(course_dir: Path, environment: Mapping[str, str], variable: str, file: str) -> str:
    if given := environment.get(variable, "").strip():
        return given
    path = course_dir / file
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
