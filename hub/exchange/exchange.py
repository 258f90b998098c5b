"""The exchange: what goes between students and staff, and nothing else does.

Theory of operation. A submission is one transaction. Its files are put into the storage first, each
under its SHA-256, and are durable there before anything else happens; then one row is committed
under a lock on (student, assignment); then the receipt goes out. A crash before the commit leaves
files that no row names and that harm nobody; after it everything is there. So nothing that was
acknowledged is lost, and a client that heard nothing sends again: the same bytes as the newest
submission get the same receipt.

Contract: safe from several threads and processes. Dates and the number of attempts come from
course.toml, extensions from the database, the time from ``clock``. Trusts its caller for who somebody
is (see ``hub.exchange.identity``), and nothing in names, files and times that students send.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.errors import AuthorError, PlatformError
from autograder.gradebook import Clock, Receipt, content_sha256
from autograder.gradebook.intake import listing, require_names, sort_out
from course.material import read_assignment
from course.records import Course, Entry
from hub.exchange.collecting import collect
from hub.exchange.database import Database
from hub.exchange.dates import require_open, require_taken
from hub.exchange.lookups import (
    arrivals,
    extended,
    newest_release,
    newest_submission,
    returned_attempts,
    terms_of,
)
from hub.exchange.objects import Objects, open_objects
from hub.exchange.packages import read_release, require_paths
from hub.exchange.receipts import SignedReceipt, Signer, new_key
from hub.exchange.records import (
    Arrival,
    Extension,
    Member,
    Release,
    Returned,
    Role,
    StoredFile,
    Submission,
    Terms,
)
from hub.exchange.refusals import Closed, Unknown
from hub.exchange.tables import (
    ExtensionRow,
    MemberRow,
    ReleaseRow,
    ReturnedRow,
    SubmissionRow,
    as_rows,
    stored,
)

TICK = timedelta(microseconds=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Exchange:
    """The exchange of one course, open until ``close``."""

    def __init__(
        self,
        course: Course,
        course_dir: Path,
        *,
        database: str | None = None,
        storage: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """``database``: a SQLAlchemy URL, ``storage``: a path or an fsspec URL; both are in the course
        directory unless given. Raises PlatformError."""
        self.course = course
        self.course_dir = course_dir.resolve()
        self.clock = clock
        self._entries = {entry.id: entry for entry in course.entries}
        self._database = Database(database or f"sqlite:///{self.course_dir / 'exchange.db'}")
        self._objects: Objects = open_objects(storage or str(self.course_dir / "exchange"))
        self._signer = Signer(course.id, self._database.setting("receipt key", new_key))

    def __enter__(self) -> Exchange:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database's connections."""
        self._database.close()

    @property
    def database(self) -> Database:
        """For those who only count, see ``hub.metrics``."""
        return self._database

    def secret(self, purpose: str) -> bytes:
        """32 bytes for one purpose, the same in every process of this exchange; never leaves the server."""
        return self._database.setting(f"secret {purpose}", lambda: secrets.token_bytes(32))

    # people

    def member(self, name: str) -> Member:
        """Who the hub's user of this name is here; unknown ones are enrolled as students.

        Raises SubmissionError for a name that can't be a student id.
        """
        require_names(name, "any")
        with self._database.reading() as session:
            row = session.get(MemberRow, name)
            if row is not None:
                return row.record()
        with self._database.writing(f"member {name}") as session:
            row = session.get(MemberRow, name)
            if row is None:
                row = MemberRow(name=name, role=Role.STUDENT.value, full_name="", email="")
                session.add(row)
            return row.record()

    def enrol(self, members: Iterable[Member]) -> None:
        """Puts people on the roster, or changes what it says of them."""
        for member in members:
            require_names(member.name, "any")
            with self._database.writing(f"member {member.name}") as session:
                session.merge(
                    MemberRow(
                        name=member.name,
                        role=member.role.value,
                        full_name=member.full_name,
                        email=member.email,
                    )
                )

    def roster(self) -> tuple[Member, ...]:
        """Everybody, by name."""
        with self._database.reading() as session:
            return tuple(row.record() for row in session.scalars(select(MemberRow).order_by(MemberRow.name)))

    # staff

    def release(self, assignment: str, files: Mapping[str, bytes] | None = None) -> Release:
        """Puts an assignment out; what is out already in this version stays as it is.

        ``files``: path -> bytes, those of ``release/<assignment>`` in the course directory if not given.
        """
        self._entry(assignment)
        given = read_release(self.course_dir, assignment) if files is None else require_paths(files)
        if not given:
            raise AuthorError(f"{assignment}: there is no file to release; run `mlsys release {assignment}`")
        kept, version = self._keep(given), content_sha256(given)
        accepts = list(self._accepts(assignment))
        with self._database.writing(f"release {assignment}") as session:
            newest = newest_release(session, assignment)
            if newest is None or newest.withdrawn or (newest.version, newest.accepts) != (version, accepts):
                newest = ReleaseRow(
                    assignment=assignment,
                    version=version,
                    released=self.clock(),
                    files=as_rows(kept),
                    accepts=accepts,
                )
                session.add(newest)
            return newest.record()

    def releases(self) -> tuple[Release, ...]:
        """What is out now, in the course's order."""
        with self._database.reading() as session:
            found = (newest_release(session, entry.id) for entry in self.course.entries)
            return tuple(row.record() for row in found if row is not None and row.withdrawn is None)

    def withdraw(self, assignment: str) -> None:
        """Students no longer see the assignment; nothing is deleted. Does nothing where it isn't out."""
        self._entry(assignment)
        with self._database.writing(f"release {assignment}") as session:
            newest = newest_release(session, assignment)
            if newest is not None and newest.withdrawn is None:
                newest.withdrawn = self.clock()

    def extend(self, student: str, assignment: str, due: datetime, *, by: str, reason: str = "") -> Extension:
        """Gives one student a later due date, in place of one given before."""
        entry = self._entry(assignment)
        require_names(student, assignment)
        if due.tzinfo is None:
            raise AuthorError(f"{due}: say the time zone of an extension")
        if due <= entry.due:
            raise AuthorError(
                f"{due.isoformat()} is not after the due date of {assignment}, {entry.due.isoformat()}; "
                "end the extension instead"
            )
        with self._database.writing(f"extension {student} {assignment}") as session:
            if session.get(MemberRow, student) is None:
                raise Unknown(f"nobody on the roster is called {student!r}; enrol them first")
            self._end(session, student, assignment)
            row = ExtensionRow(
                student=student,
                assignment=assignment,
                due=due.astimezone(UTC),
                by=by,
                granted=self.clock(),
                reason=reason,
            )
            session.add(row)
            return row.record()

    def end_extension(self, student: str, assignment: str) -> None:
        """The course's due date holds again for the student."""
        self._entry(assignment)
        with self._database.writing(f"extension {student} {assignment}") as session:
            self._end(session, student, assignment)

    def extensions(self, assignment: str | None = None) -> tuple[Extension, ...]:
        """The extensions that hold, by assignment and student."""
        wanted = select(ExtensionRow).where(ExtensionRow.ended.is_(None))
        if assignment is not None:
            wanted = wanted.where(ExtensionRow.assignment == assignment)
        wanted = wanted.order_by(ExtensionRow.assignment, ExtensionRow.student)
        with self._database.reading() as session:
            return tuple(row.record() for row in session.scalars(wanted))

    def submissions(
        self, student: str | None = None, assignment: str | None = None
    ) -> tuple[Submission, ...]:
        """Submissions, oldest first; of one student or one assignment where that is given."""
        wanted = select(SubmissionRow).order_by(SubmissionRow.received, SubmissionRow.id)
        if student is not None:
            wanted = wanted.where(SubmissionRow.student == student)
        if assignment is not None:
            wanted = wanted.where(SubmissionRow.assignment == assignment)
        with self._database.reading() as session:
            moved = extended(session, student)
            return tuple(self._record(row, moved) for row in session.scalars(wanted))

    def since(self, number: int, most: int) -> tuple[Submission, ...]:
        """Submissions with an ``id`` above this one, oldest first, so many at the most.

        Who asks again with the last ``id`` misses none: none comes to be there below one that is.
        """
        wanted = select(SubmissionRow).where(SubmissionRow.id > number).order_by(SubmissionRow.id)
        with self._database.reading() as session:
            rows = session.scalars(wanted.limit(most)).all()
            moved = extended(session, None) if rows else {}
            return tuple(self._record(row, moved) for row in rows)

    def arrivals(self) -> tuple[Arrival, ...]:
        """The newest submission of each student for each assignment, without its files: one query for a
        whole class."""
        with self._database.reading() as session:
            return arrivals(session)

    def returned_attempts(self) -> dict[tuple[str, str], int]:
        """(student, assignment) -> the attempt whose feedback was given back last, of a whole class."""
        with self._database.reading() as session:
            return returned_attempts(session)

    def submission(self, number: int) -> Submission:
        """The submission with this ``id``. Raises Unknown."""
        with self._database.reading() as session:
            row = session.get(SubmissionRow, number)
            if row is None:
                raise Unknown(f"there is no submission {number}")
            return self._record(row, extended(session, row.student))

    def collect(self, assignment: str, students: Collection[str] = ()) -> tuple[Receipt, ...]:
        """Lays submissions into the course directory, in order, with their own times.

        Returns the receipts of those that were not there yet; run again it does nothing.
        """
        self._entry(assignment)
        chosen = [
            each
            for each in self.submissions(assignment=assignment)
            if not students or each.student in students
        ]
        return collect(self.course_dir, chosen, self.read_submission)

    def give_back(
        self, student: str, assignment: str, files: Mapping[str, bytes], *, sha256: str, attempt: int
    ) -> Returned:
        """Lets a student read the feedback on an attempt; the same pages again are given back once."""
        self._entry(assignment)
        require_names(student, assignment)
        kept = self._keep(require_paths(files))
        known = {"student": student, "assignment": assignment, "sha256": sha256, "attempt": attempt}
        with self._database.writing(f"feedback {student} {assignment}") as session:
            wanted = select(ReturnedRow).filter_by(student=student, assignment=assignment)
            newest = session.scalars(wanted.order_by(ReturnedRow.id.desc()).limit(1)).first()
            same = newest is not None and (newest.sha256, newest.attempt, stored(newest.files)) == (
                sha256,
                attempt,
                kept,
            )
            if newest is None or not same:
                newest = ReturnedRow(**known, returned=self.clock(), files=as_rows(kept))
                session.add(newest)
                session.flush()
            return newest.record()

    def returned(self, student: str | None = None, assignment: str | None = None) -> tuple[Returned, ...]:
        """Feedback that was given back, newest first."""
        wanted = select(ReturnedRow).order_by(ReturnedRow.id.desc())
        if student is not None:
            wanted = wanted.where(ReturnedRow.student == student)
        if assignment is not None:
            wanted = wanted.where(ReturnedRow.assignment == assignment)
        with self._database.reading() as session:
            return tuple(row.record() for row in session.scalars(wanted))

    # students

    def due(self, student: str, assignment: str) -> datetime:
        """The student's due date, with the extension if there is one."""
        entry = self._entry(assignment)
        with self._database.reading() as session:
            return extended(session, student).get((student, assignment), entry.due)

    def terms(self, student: str, assignment: str) -> Terms:
        """What holds for the student now. Raises Unknown for what the course doesn't have."""
        entry = self._entry(assignment)
        with self._database.reading() as session:
            return terms_of(session, student, entry)

    def fetch(self, student: str, assignment: str) -> dict[str, bytes]:
        """The released files: path -> bytes. Raises Closed before the release date; staff may at any time."""
        entry = self._entry(assignment)
        is_staff = self.member(student).is_staff
        with self._database.reading() as session:
            row = newest_release(session, assignment)
            terms = terms_of(session, student, entry)
        if row is None:
            raise Closed(f"{assignment} has not been released yet; ask your instructor when it will be")
        if not is_staff:
            require_open(terms, self.clock())
        return {each.name: self._objects.get(each.sha256) for each in row.record().files}

    def submit(
        self, student: str, assignment: str, files: Mapping[str, bytes], *, received: datetime | None = None
    ) -> Submission:
        """Takes a submission in; when this returns, it is kept for good.

        ``received``: our own time at which the last byte came in, now if not given. The same bytes as
        the newest submission's get its receipt, whatever the time. Raises Closed where the terms forbid
        it, SubmissionError for what is no submission.
        """
        now = received or self.clock()
        entry = self._entry(assignment)
        require_names(student, assignment)
        with self._database.reading() as session:
            release = newest_release(session, assignment)
            kept, ignored = sort_out(files, release.accepts if release is not None else ())
            sha256 = content_sha256(kept)
            known = self._same_or_taken(session, student, entry, sha256, now)
        if known is not None:
            return known
        stored_files = self._keep(kept)
        # One lock for all, not one a student: who follows ids (`since`) must see them come in order.
        with self._database.writing("submissions") as session:
            # All is asked again, for another submission may have come in meanwhile.
            known = self._same_or_taken(session, student, entry, sha256, now)
            if known is not None:
                return known
            newest = newest_submission(session, student, assignment)
            row = SubmissionRow(
                student=student,
                assignment=assignment,
                number=newest.number + 1 if newest is not None else 1,
                # A clock that was set back must not change the order.
                received=max(now, newest.received + TICK) if newest is not None else now,
                sha256=sha256,
                files=as_rows(stored_files),
                ignored=list(ignored),
            )
            session.add(row)
            session.flush()
            return self._record(row, extended(session, student))

    def receipt(self, submission: Submission) -> SignedReceipt:
        """The receipt for the student to keep."""
        return self._signer.sign(submission)

    @property
    def public_key(self) -> str:
        """What anyone needs to check the course's receipts."""
        return self._signer.public_key

    def read_submission(self, submission: Submission) -> dict[str, bytes]:
        """The files of a submission. Raises PlatformError if they aren't those that were received."""
        files = {each.name: self._objects.get(each.sha256) for each in submission.files}
        if content_sha256(files) != submission.sha256:
            raise PlatformError(f"submission {submission.id} is not what was received; restore a backup")
        return files

    def read_returned(self, returned: Returned) -> dict[str, bytes]:
        """The pages of a feedback."""
        return {each.name: self._objects.get(each.sha256) for each in returned.files}

    def _entry(self, assignment: str) -> Entry:
        try:
            return self._entries[assignment]
        except KeyError:
            raise Unknown(f"the course has no assignment {assignment[:80]!r}") from None

    def _accepts(self, assignment: str) -> tuple[str, ...]:
        """Files beside notebooks that students may submit; none where the material isn't on this host."""
        if not (self.course.assignments_folder / assignment).is_dir():
            return ()
        return read_assignment(self.course, assignment).files

    def _keep(self, files: Mapping[str, bytes]) -> tuple[StoredFile, ...]:
        for data in files.values():
            self._objects.put(data)
        return _files(files)

    def _end(self, session: Session, student: str, assignment: str) -> None:
        wanted = select(ExtensionRow).filter_by(student=student, assignment=assignment, ended=None)
        for row in session.scalars(wanted):
            row.ended = self.clock()

    def _record(self, row: SubmissionRow, moved: Mapping[tuple[str, str], datetime]) -> Submission:
        due = moved.get((row.student, row.assignment))
        if due is None and row.assignment in self._entries:
            due = self._entries[row.assignment].due
        return Submission(
            id=row.id,
            student=row.student,
            assignment=row.assignment,
            number=row.number,
            received=row.received,
            sha256=row.sha256,
            files=stored(row.files),
            ignored=tuple(row.ignored),
            late=max(timedelta(0), row.received - due) if due else timedelta(0),
        )

    def _same_or_taken(
        self, session: Session, student: str, entry: Entry, sha256: str, now: datetime
    ) -> Submission | None:
        """The newest submission if it has these bytes. Raises Closed where no other is taken."""
        newest = newest_submission(session, student, entry.id)
        if newest is not None and newest.sha256 == sha256:
            return self._record(newest, extended(session, student))
        require_taken(terms_of(session, student, entry), now)
        return None


def _files(files: Mapping[str, bytes]) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(each.name, each.size, each.sha256) for each in listing(files))
