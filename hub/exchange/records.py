"""What the exchange knows, as frozen records. All times carry UTC.

Trusts: whoever makes a record has checked names and sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Role(StrEnum):
    """What a person may do in the course."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"


@dataclass(frozen=True)
class Member:
    """Somebody on the roster. ``name`` is the hub's user name, and the student id of the gradebook."""

    name: str
    role: Role = Role.STUDENT
    full_name: str = ""
    email: str = ""

    @property
    def is_staff(self) -> bool:
        return self.role is Role.INSTRUCTOR


@dataclass(frozen=True)
class StoredFile:
    """A file that the exchange keeps; ``size`` in bytes, ``sha256`` in hexadecimal digits."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Release:
    """What students fetch for an assignment. ``version``: the SHA-256 of its files' listing;
    ``accepts``: names of files that it takes beside notebooks."""

    assignment: str
    version: str
    released: datetime
    files: tuple[StoredFile, ...]
    accepts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extension:
    """A later due date for one student. ``by``: who granted it."""

    student: str
    assignment: str
    due: datetime
    by: str
    granted: datetime
    reason: str = ""


@dataclass(frozen=True)
class Excuse:
    """A student of whom an assignment isn't asked. ``by``: who says so."""

    student: str
    assignment: str
    by: str
    granted: datetime
    reason: str = ""


@dataclass(frozen=True)
class Terms:
    """What holds for one student and one assignment now.

    ``opens``: the release date; ``due``: with the extension; ``closes``: the last moment at which a
    late submission is taken. ``used`` of ``most`` attempts are spent. ``released``: staff put it out.
    """

    student: str
    assignment: str
    opens: datetime
    due: datetime
    closes: datetime
    extended: bool
    most: int
    used: int
    released: bool

    @property
    def left(self) -> int:
        """Attempts that remain."""
        return max(0, self.most - self.used)

    def may_fetch(self, now: datetime) -> bool:
        return self.released and now >= self.opens

    def may_submit(self, now: datetime) -> bool:
        return self.may_fetch(now) and now <= self.closes and self.left > 0


@dataclass(frozen=True)
class Submission:
    """A submission as taken in: the receipt's content. ``number`` counts from 1 for each student and
    assignment; ``sha256`` is of the listing of its files (see autograder.gradebook.content_sha256).
    ``ignored``: names of files that the assignment doesn't take."""

    id: int
    student: str
    assignment: str
    number: int
    received: datetime
    sha256: str
    files: tuple[StoredFile, ...]
    ignored: tuple[str, ...] = ()
    late: timedelta = timedelta(0)


@dataclass(frozen=True)
class Arrival:
    """That a submission came in, without its files; ``number`` as in ``Submission``."""

    student: str
    assignment: str
    number: int
    received: datetime
    sha256: str


@dataclass(frozen=True)
class Returned:
    """Feedback that a student may read: the pages of one graded attempt."""

    id: int
    student: str
    assignment: str
    sha256: str
    attempt: int
    returned: datetime
    files: tuple[StoredFile, ...]
