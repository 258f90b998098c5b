"""Takes in submissions: bytes in, an immutable snapshot and a receipt out.

Contract: every submission becomes a snapshot (see ``snapshots``). The newest one is also laid out
as nbgrader wants it, in ``submitted/<student>/<assignment>/``, with nbgrader's ``timestamp.txt``
written from our clock. The same bytes again, as the newest or with the same time, do nothing and
give the same receipt; an older submission that comes in later doesn't replace a newer one.

Trusts the caller for who the student is (the exchange service or staff), and nothing in the files:
names, sizes and the time are checked or made here.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.errors import PlatformError, SubmissionError
from autograder.gradebook.folders import remove_leftovers, timestamp, unwritable, write_folder
from autograder.gradebook.snapshots import (
    Receipt,
    ReceivedFile,
    content_sha256,
    latest_receipt,
    read_snapshot,
    receipts,
    remove_unfinished,
    write_snapshot,
)
from autograder.repair import MAX_BYTES

STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
ASSIGNMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FILE = re.compile(r"\w[\w .()'-]{0,99}")
TICK = timedelta(microseconds=1)
STAMP = "%Y%m%dT%H%M%S%fZ"
MAX_NAME = 200
MAX_FILES = 50
MAX_TOTAL = 5 * MAX_BYTES
OURS = frozenset({"timestamp.txt", "receipt.json"})

Clock = Callable[[], datetime]


def take_in(
    course: Path,
    student: str,
    assignment: str,
    files: Mapping[str, bytes],
    *,
    clock: Clock,
    allowed: Collection[str] = (),
) -> Receipt:
    """Keeps one submission of ``student`` for ``assignment`` under the course directory.

    ``files``: plain file name -> bytes. Notebooks are always taken; of other files those that
    ``allowed`` names, and the receipt lists the rest. Raises SubmissionError for a name that is
    none, a file over 20 MB, too many files, or no notebook at all, and PlatformError where the disk fails:
    then the same submission may come again.
    """
    require_names(student, assignment)
    kept, ignored = sort_out(files, allowed)
    sha256 = content_sha256(kept)
    home = course / "snapshots" / student / assignment
    with _locked(home):
        received = clock().astimezone(UTC)
        known = receipts(course, student, assignment)
        receipt = _known(known, sha256, received)
        if receipt is None:
            folder = home / f"{received.strftime(STAMP)}-{sha256[:8]}"
            receipt = Receipt(
                student,
                assignment,
                received,
                sha256,
                listing(kept),
                ignored,
                str(folder.relative_to(course)),
            )
            write_snapshot(folder, receipt, kept)
        if not known or receipt.received >= known[-1].received:
            _lay_out(course, receipt, kept)
    return receipt


def after_the_last(course: Path, student: str, assignment: str, now: datetime) -> datetime:
    """``now``, for a submission that comes in now. A clock that was set back must not make it the older
    one: then it is a moment after the newest there is."""
    newest = latest_receipt(course, student, assignment)
    return now if newest is None else max(now, newest.received + TICK)


def lay_out_newest(course: Path, student: str, assignment: str) -> None:
    """Makes ``submitted/`` hold a student's newest snapshot, and removes what killed intakes left."""
    home = course / "snapshots" / student / assignment
    with _locked(home):
        remove_unfinished(home)
        remove_leftovers(course / "submitted" / student, re.escape(assignment))
        try:
            newest = latest_receipt(course, student, assignment)
            files = read_snapshot(course, newest) if newest is not None else {}
        except PlatformError:  # damaged; grading tells of it
            return
        if newest is not None:
            _lay_out(course, newest, files)


def read_folder(folder: Path, wanted: Callable[[str], bool] = lambda name: True) -> dict[str, bytes]:
    """The plain files of a folder that a student could write in, for ``take_in``.

    Of these the ``wanted`` names. Links, devices and files with a second name (hard links) are
    refused with a SubmissionError; folders and hidden files are left out.
    """
    files: dict[str, bytes] = {}
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if not wanted(entry.name):
            continue
        if entry.is_symlink():
            raise SubmissionError(f"{entry.name} is a link; submit the file itself.")
        if entry.name.startswith(".") or entry.is_dir(follow_symlinks=False):
            continue
        files[entry.name] = _read_plain(Path(entry.path))
    return files


def require_names(student: str, assignment: str) -> None:
    """Raises SubmissionError unless both may name a folder."""
    _require(STUDENT, student, "a student id")
    _require(ASSIGNMENT, assignment, "an assignment id")


def require_file_name(given: str) -> str:
    """The name as it is kept (NFC). Raises SubmissionError for a path, a hidden file or worse."""
    name = unicodedata.normalize("NFC", given)
    if not FILE.fullmatch(name) or len(name.encode()) > MAX_NAME:
        raise SubmissionError(f"{given[:80]!r} is no file name here: use letters, digits, dots, dashes.")
    return name


def _require(pattern: re.Pattern[str], name: str, what: str) -> None:
    if not pattern.fullmatch(name):
        raise SubmissionError(f"{name[:80]!r} is not {what}: letters, digits, dots, dashes, at most 64.")


def sort_out(
    files: Mapping[str, bytes], allowed: Collection[str] = ()
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files to keep, and the names of those that the assignment doesn't take.

    Raises SubmissionError as ``take_in`` does.
    """
    if len(files) > MAX_FILES:
        raise SubmissionError(f"{len(files)} files; {MAX_FILES} is the most. Submit the notebook alone.")
    kept: dict[str, bytes] = {}
    ignored: list[str] = []
    for given in sorted(files):
        name = require_file_name(given)
        if name in OURS or not (name.lower().endswith(".ipynb") or name in allowed):
            ignored.append(name)
        elif name in kept:
            raise SubmissionError(f"{name} is there twice; submit one of the two.")
        elif (size := len(files[given])) > MAX_BYTES:
            raise SubmissionError(f"{name} has {size / 2**20:.1f} MB; {MAX_BYTES // 2**20} MB is the most.")
        else:
            kept[name] = files[given]
    if not any(name.lower().endswith(".ipynb") for name in kept):
        raise SubmissionError("There is no notebook (.ipynb) in the submission.")
    if sum(map(len, kept.values())) > MAX_TOTAL:
        raise SubmissionError(f"The files have more than {MAX_TOTAL // 2**20} MB together.")
    return kept, tuple(ignored)


def listing(files: Mapping[str, bytes]) -> tuple[ReceivedFile, ...]:
    """What a receipt says of each file."""
    return tuple(
        ReceivedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    )


def _known(known: Sequence[Receipt], sha256: str, received: datetime) -> Receipt | None:
    """The receipt that these bytes have already: as the newest submission, or as one of that moment."""
    if known and known[-1].sha256 == sha256:
        return known[-1]
    return next((each for each in known if (each.sha256, each.received) == (sha256, received)), None)


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One intake at a time for a student and an assignment; the lock ends with the process."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        fd = os.open(home / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(home, error) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _lay_out(course: Path, receipt: Receipt, files: Mapping[str, bytes]) -> None:
    """``submitted/<student>/<assignment>/`` as nbgrader reads it, unless it is that already."""
    target = course / "submitted" / receipt.student / receipt.assignment
    wanted = {**files, "timestamp.txt": timestamp(receipt.received)}
    if _holds(target, wanted):
        return
    write_folder(target, wanted)


def _holds(folder: Path, wanted: Mapping[str, bytes]) -> bool:
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != set(wanted):
        return False
    return all(
        (folder / name).is_file() and (folder / name).read_bytes() == data for name, data in wanted.items()
    )


def _read_plain(path: Path) -> bytes:
    """A regular file's bytes, one more than the cap at most, so that nothing huge is loaded."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise SubmissionError(f"{path.name} is not a plain file; submit a copy of it.")
        return file.read(MAX_BYTES + 1)
