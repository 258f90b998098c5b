"""Accounts that wait for their owner: passwords that `mlsys up` set, and one-time passwords of a roster.

Contract: a small SQLite file beside the hub's own database. Commands write it while the hub runs or
not; the hub's authenticator turns an account into one of its own at its owner's first login. Passwords
are kept as bcrypt hashes. A one-time password works once, to set another, and only for a time.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bcrypt

FILE = "accounts.sqlite"
VALID = timedelta(days=21)
# No letters or digits that look alike: people type these from paper.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 4  # 4 × 4 of 31 signs: 79 bits
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 72  # bytes: bcrypt reads no more
SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY, hash BLOB NOT NULL, one_time INTEGER NOT NULL, expires TEXT NOT NULL
)"""


@dataclass(frozen=True)
class Account:
    """``hash``: bcrypt's, of the password. ``one_time``: it has to be replaced at the first login."""

    name: str
    hash: bytes
    one_time: bool
    expires: datetime

    def opens_with(self, password: str, now: datetime) -> bool:
        """Whether this is the password, and still good."""
        given = password.encode()
        fits = len(given) <= LONGEST_PASSWORD and bcrypt.checkpw(given, self.hash)
        return fits and now < self.expires


class Accounts:
    """The accounts of one hub that their owners have not taken over yet."""

    def __init__(self, state: Path) -> None:
        self.file = state / FILE
        if not self.file.exists():
            self.file.touch(mode=0o600)
        with self._open() as database:
            database.execute(SCHEMA)

    def add(self, name: str, password: str, *, one_time: bool, now: datetime | None = None) -> None:
        """Adds an account, or gives a waiting one a new password."""
        begins = now or datetime.now(UTC)
        expires = begins + VALID if one_time else datetime.max.replace(tzinfo=UTC)
        row = (name, hashed(password), one_time, expires.isoformat())
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", row)

    def find(self, name: str) -> Account | None:
        with self._open() as database:
            row = database.execute("SELECT * FROM accounts WHERE name = ?", (name,)).fetchone()
        return Account(row[0], row[1], bool(row[2]), datetime.fromisoformat(row[3])) if row else None

    def remove(self, name: str) -> bool:
        """Whether there was one: of two who take an account at the same time, one gets it."""
        with self._open() as database:
            return database.execute("DELETE FROM accounts WHERE name = ?", (name,)).rowcount == 1

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.file, timeout=30)) as database, database:
            yield database


def hashed(password: str) -> bytes:
    """bcrypt's hash. Raises ValueError for a password that is longer than bcrypt reads."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())


def one_time_password() -> str:
    """A new password that can be read out: four groups of four."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
