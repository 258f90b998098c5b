"""Puts a course and its course directory together: the one place that knows both.

Contract: what the rooms below need of each other (dates and policies from the course, sources and
gradebook from the course directory) is looked up here and passed as plain parameters.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from autograder.batch import Bench, Due, GradingRoom, Penalty, read_sources
from autograder.errors import AuthorError, PlatformError
from autograder.gradebook import Gradebook, Policy
from course.gradebook import DEFAULT, gradebook_is_there, gradebook_url
from course.lateness import late_penalty
from course.place import nearest
from course.records import Course, Entry
from course.tree import STATE
from hub.exchange.duedates import due_dates

SECRET_BYTES = 32
SERVER = "serve-grades"
PATIENCE_SECONDS, PAUSE_SECONDS = 60.0, 0.02


def entry_of(course: Course, assignment: str) -> Entry:
    """The course's entry for an assignment. Raises AuthorError with the nearest right id."""
    known = {entry.id: entry for entry in course.entries}
    if assignment not in known:
        raise AuthorError(f"{course.file}: no assignment {assignment!r}; {nearest(assignment, known)}")
    return known[assignment]


def open_gradebook(course_dir: Path) -> Gradebook:
    """The course directory's gradebook. Raises PlatformError where nothing was released yet."""
    if not gradebook_is_there(course_dir):
        file = course_dir / DEFAULT
        raise PlatformError(f"{file} doesn't exist; run `mlsys release` first, or name another --course-dir")
    return Gradebook(gradebook_url(course_dir), course_dir.resolve())


def grading_room(course: Course, course_dir: Path, assignment: str, bench: Bench) -> GradingRoom:
    """What grading an assignment of a course needs."""
    due, penalty = lateness(course_dir, entry_of(course, assignment))
    return GradingRoom(
        course_dir=course_dir.resolve(),
        bench=bench,
        sources=read_sources(course_dir.resolve(), assignment),
        secret=course_secret(course_dir),
        due=due,
        penalty=penalty,
    )


def lateness(course_dir: Path, entry: Entry) -> tuple[Due, Penalty]:
    """When an assignment is due for each student, and what being late costs."""
    return due_dates(course_dir, entry), lambda seconds, points: late_penalty(entry.late, seconds, points)


class Busy(PlatformError):
    """Another process is grading."""


@contextlib.contextmanager
def grading_locks(course_dir: Path, assignments: Iterable[str], by: str = "a batch") -> Iterator[None]:
    """One grading of an assignment at a time; the lock ends with the process that holds it.

    Raises Busy where another process is grading one of them. `SERVER` is waited for: it lets others have
    their turn. ``by``: who grades.
    """
    with contextlib.ExitStack() as held:
        for assignment in sorted(set(assignments)):
            busy = f"{assignment} is being graded already; wait until that ends, or stop it"
            held.enter_context(_locked(course_dir, f"grading-{assignment}.lock", by, busy))
        yield


@contextlib.contextmanager
def draft_lock(course_dir: Path, assignment: str) -> Iterator[None]:
    """One regrading of an assignment at a time; others may grade meanwhile. Raises Busy."""
    busy = f"{assignment} is being regraded already; wait until that ends, or stop it"
    with _locked(course_dir, f"regrading-{assignment}.lock", "a regrading", busy):
        yield


@contextlib.contextmanager
def _locked(course_dir: Path, name: str, by: str, busy: str) -> Iterator[None]:
    path = course_dir.resolve() / STATE / name
    with contextlib.ExitStack() as held:
        try:
            path.parent.mkdir(exist_ok=True)
            take(held.enter_context(path.open("a+")), by)
        except BlockingIOError:
            raise Busy(busy) from None
        except OSError as error:
            raise PlatformError(f"{path}: {error.strerror}; see to the disk, then run it again") from error
        yield


def take(lock: IO[str], by: str) -> None:
    """Raises BlockingIOError where another has the lock, and doesn't give it up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    holder = ""
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            lock.seek(0)
            before, holder = holder, lock.read()
            # Who has just taken it says in a moment who it is: until then the last one's word is there.
            told = holder not in (SERVER, "") and holder == before
            if by == SERVER or told or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
    lock.truncate(0)
    lock.write(by)
    lock.flush()


def policy_of(entry: Entry) -> Policy:
    return Policy(entry.attempts.counts.value)


def course_secret(course_dir: Path) -> bytes:
    """The secret from which hidden inputs are drawn; made on first use, readable by its owner alone.

    It appears whole: a process that is killed here, or a full disk, leaves no half of one.
    """
    file = course_dir / ".secret"
    try:
        if not file.exists():
            with tempfile.NamedTemporaryFile(dir=course_dir, prefix=".secret-") as fresh:
                fresh.write(secrets.token_bytes(SECRET_BYTES))
                fresh.flush()
                os.fsync(fresh.fileno())
                with contextlib.suppress(FileExistsError):  # another process was first
                    os.link(fresh.name, file)
        secret = file.read_bytes()
    except OSError as error:
        raise PlatformError(f"{file}: {error.strerror}; see to the disk, then run the same again") from error
    if len(secret) != SECRET_BYTES:
        raise PlatformError(f"{file} must hold {SECRET_BYTES} bytes; restore it from a backup")
    return secret
