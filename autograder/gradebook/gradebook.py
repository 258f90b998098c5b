"""The gradebook: keeps every attempt, and makes the one that counts the grade.

Contract: ``record_attempt`` is one transaction: the attempt, which attempt counts, and nbgrader's
grades change together or not at all. The judged notebooks are on the disk before it commits, so
that an attempt that is kept can always be shown. A fault keeps an attempt and touches no grade.
One thread writes; any number may read at the same time.

Trusts nbgrader's tables (made by `mlsys release`) after checking that they fit the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from nbformat.notebooknode import NotebookNode
from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import Session, selectinload

from autograder.gradebook.asides import asides, set_aside, undone
from autograder.gradebook.attempts import (
    Aside,
    Attempt,
    AttemptState,
    GradedNotebook,
    Grading,
    Policy,
    choose,
)
from autograder.gradebook.database import Database
from autograder.gradebook.folders import (
    attempt_folder,
    autograded_folder,
    copy_folder,
    notebook_bytes,
    timestamp,
    write_folder,
)
from autograder.gradebook.grades import answers, submission_of, write_marks
from autograder.gradebook.intake import require_names
from autograder.gradebook.marking import with_outputs
from autograder.gradebook.released import ReleasedAssignment, ReleasedCell, Releases
from autograder.gradebook.rows import complete, keep_attempt, planned_attempt, read_attempt
from autograder.gradebook.snapshots import Receipt
from autograder.gradebook.tables import (
    AttemptRow,
    CountingRow,
    NotebookRow,
    SubmissionRow,
    insert_into,
    table_of,
)
from autograder.repair import Repaired, SubmittedNotebook, repair

ROLE = "mlsys_role"


def _of_student(table: Any, *more: str) -> list[Any]:
    """The conditions that rows are of a student and an assignment, and of ``more``, bound by these names."""
    return [table.c[name] == bindparam(name) for name in ("student", "assignment", *more)]


_submission, _attempt, _counting = map(table_of, (SubmissionRow, AttemptRow, CountingRow))
_NOTED = select(_submission.c.id).where(*_of_student(_submission, "sha256", "received"))
_LAST_NUMBER = select(func.max(_attempt.c.number)).where(*_of_student(_attempt))
_COUNTING = select(_counting.c.attempt_id).where(*_of_student(_counting))


class Gradebook:
    """The gradebook of one course directory, open until ``close``."""

    def __init__(self, url: str, course: Path) -> None:
        """``url``: nbgrader's ``db_url``; ``course``: the course directory. Raises PlatformError."""
        self.database = Database(url)
        self.course = course
        self.releases = Releases()

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database's connections."""
        self.database.close()

    def record_submission(self, receipt: Receipt) -> None:
        """Notes that a submission came in: until it is judged, its grade is pending."""
        with self.database.writing() as session:
            _note_submission(session, receipt.student, receipt.assignment, receipt.sha256, receipt.received)

    def record_attempt(self, grading: Grading, policy: Policy = Policy.LAST) -> Attempt:
        """Keeps one grading, and writes its marks if it counts.

        Raises SubmissionError for a student or assignment that is no name. Raises PlatformError,
        and changes nothing, where nbgrader's tables don't fit the source
        notebooks or the judgement isn't of their checks.
        """
        require_names(grading.student, grading.assignment)
        with self.database.writing() as session:
            assignment = self.releases.require(session, grading.assignment, grading.sources)
            _note_submission(session, grading.student, grading.assignment, grading.sha256, grading.submitted)
            fault = grading.state is AttemptState.FAULT
            answered = {} if fault else answered_in(grading, assignment)
            number = _next_number(session, grading)
            made = planned_attempt(grading, number, assignment.version, answered)
            attempt = replace(made, id=keep_attempt(session, made))
            if fault:
                self._keep_fault(grading, attempt)
                return attempt
            self._keep_notebooks(assignment, grading, number)
            return replace(attempt, counts=self._settle(session, assignment, attempt, policy))

    def is_graded(
        self, student: str, assignment: str, sha256: str, submitted: datetime, source_version: str
    ) -> bool:
        """Whether this submission has been judged by these tests, with no fault of ours. What was taken back
        is as if it had never been."""
        wanted = graded_keys(assignment, source_version).where(
            AttemptRow.student == student, AttemptRow.sha256 == sha256, AttemptRow.submitted == submitted
        )
        with self.database.reading() as session:
            return session.execute(wanted.limit(1)).first() is not None

    def graded(self, assignment: str, source_version: str) -> frozenset[tuple[str, str, datetime]]:
        """(student, sha256, submitted) of every submission for which ``is_graded`` holds."""
        with self.database.reading() as session:
            rows = session.execute(graded_keys(assignment, source_version))
            return frozenset((row.student, row.sha256, row.submitted) for row in rows)

    def attempts(self, student: str | None = None, assignment: str | None = None) -> tuple[Attempt, ...]:
        """Attempts, oldest first; of one student or one assignment where that is given."""
        with self.database.reading() as session:
            return read_attempts(session, student, assignment)

    def last_note(self) -> int:
        """The number of the newest note of a submission, 0 where there is none."""
        with self.database.reading() as session:
            return session.scalars(select(func.max(SubmissionRow.id))).one() or 0

    def submissions_since(self, number: int) -> tuple[tuple[int, tuple[str, str, str, datetime]], ...]:
        """What came in after the note of this number, in order: (number, (student, assignment, sha256,
        received)) each."""
        wanted = select(SubmissionRow).where(SubmissionRow.id > number).order_by(SubmissionRow.id)
        with self.database.reading() as session:
            return tuple(
                (row.id, (row.student, row.assignment, row.sha256, row.received))
                for row in session.scalars(wanted)
            )

    def counting_numbers(self, assignment: str) -> dict[str, int]:
        """Student -> the number of the attempt that counts."""
        wanted = (
            select(AttemptRow.student, AttemptRow.number)
            .join(CountingRow, CountingRow.attempt_id == AttemptRow.id)
            .where(AttemptRow.assignment == assignment)
            .order_by(AttemptRow.student)
        )
        with self.database.reading() as session:
            return {row.student: row.number for row in session.execute(wanted)}

    def newest_numbers(self, assignment: str, student: str | None = None) -> dict[str, int]:
        """Student -> the number of the last grading that was no fault; of one student where that is given."""
        wanted = (
            select(AttemptRow.student, func.max(AttemptRow.number))
            .where(AttemptRow.assignment == assignment, AttemptRow.state != AttemptState.FAULT.value)
            .where(AttemptRow.id.not_in(set_aside()))
            .group_by(AttemptRow.student)
        )
        if student is not None:
            wanted = wanted.where(AttemptRow.student == student)
        with self.database.reading() as session:
            return {name: int(number) for name, number in session.execute(wanted)}

    def ungraded_again(self, assignment: str) -> set[str]:
        """Those who have no grade any more: all that counted was taken back."""
        back = select(AttemptRow.student).where(AttemptRow.assignment == assignment)
        graded = select(CountingRow.student).where(CountingRow.assignment == assignment)
        with self.database.reading() as session:
            taken = set(session.scalars(back.where(AttemptRow.id.in_(undone()))))
            return taken - set(session.scalars(graded))

    def submitters(self, assignment: str) -> tuple[str, ...]:
        """The students who have an attempt at an assignment."""
        wanted = select(AttemptRow.student).where(AttemptRow.assignment == assignment).distinct()
        with self.database.reading() as session:
            return tuple(sorted(session.scalars(wanted)))

    def counting_attempt(self, student: str, assignment: str) -> Attempt | None:
        """The attempt whose marks are the student's grade."""
        return next((each for each in self.attempts(student, assignment) if each.counts), None)

    def _settle(self, session: Session, assignment: ReleasedAssignment, new: Attempt, policy: Policy) -> bool:
        """Lets the policy choose, and writes grades and ``autograded/`` where they have to change. Returns
        whether the new attempt counts."""
        first = new.number == 1  # there is no other
        attempts = (new,) if first else read_attempts(session, new.student, new.assignment)
        chosen = choose(attempts, policy)
        if chosen is None:
            return False
        judged = [
            each.submitted
            for each in attempts
            if each.state is not AttemptState.FAULT and each.aside is not Aside.UNDONE
        ]
        submission = submission_of(session, assignment, new.student, max(judged))
        key = {"student": new.student, "assignment": new.assignment}
        known = session.execute(_COUNTING, key).scalar()
        if known != chosen.id:
            if known is None:
                session.execute(insert_into(CountingRow), {**key, "attempt_id": chosen.id})
            else:
                session.execute(update(CountingRow).filter_by(**key).values(attempt_id=chosen.id))
            write_marks(session, assignment, submission, chosen)
            copy_folder(
                attempt_folder(self.course, new.student, new.assignment, chosen.number),
                autograded_folder(self.course, new.student, new.assignment),
            )
        return chosen.id == new.id

    def _keep_fault(self, grading: Grading, attempt: Attempt) -> None:
        """For staff: what failed. It also takes the place of what a killed process left there."""
        files = {"fault.txt": f"{attempt.message}\n\n{grading.trace}".strip().encode() + b"\n"}
        write_folder(attempt_folder(self.course, attempt.student, attempt.assignment, attempt.number), files)

    def _keep_notebooks(self, assignment: ReleasedAssignment, grading: Grading, number: int) -> None:
        files = attempt_files(grading.notebooks, assignment.released, grading.files, grading.submitted)
        write_folder(attempt_folder(self.course, grading.student, grading.assignment, number), files)


def answered_in(grading: Grading, assignment: ReleasedAssignment) -> dict[str, dict[str, str]]:
    """For each notebook, what became of each answer."""
    released = assignment.released
    return {each.name: answers(released[each.name], repaired_of(each)) for each in grading.notebooks}


def attempt_files(
    notebooks: Sequence[GradedNotebook],
    released: Mapping[str, Mapping[str, ReleasedCell]],
    others: Mapping[str, bytes],
    submitted: datetime,
) -> dict[str, bytes]:
    """The files of an attempt's folder. ``released``: the cells of each notebook, by name."""
    files = dict(others)
    for graded in notebooks:
        sums = {name: cell.checksum for name, cell in released[graded.name].items() if cell.checksum}
        files[f"{graded.name}.ipynb"] = notebook_bytes(_marked(graded, repaired_of(graded), sums))
    files["timestamp.txt"] = timestamp(submitted)
    return files


def repaired_of(graded: GradedNotebook) -> Repaired:
    """The repaired notebook; one without an answer where the submitted one couldn't be read."""
    return graded.repaired or repair(graded.source, SubmittedNotebook(cells=()))


def _marked(graded: GradedNotebook, repaired: Repaired, checksums: dict[str, str]) -> NotebookNode:
    """The judged notebook as nbgrader's formgrader wants it, and each cell's role for feedback."""
    marked = with_outputs(repaired.notebook, complete(graded))
    for cell, role in zip(marked.cells, repaired.roles, strict=True):
        cell.metadata[ROLE] = role.value
        own = cell.metadata.get("nbgrader")
        if own and own.grade_id in checksums:
            own.checksum = checksums[own.grade_id]
    return marked


def _note_submission(
    session: Session, student: str, assignment: str, sha256: str, received: datetime
) -> None:
    known = {"student": student, "assignment": assignment, "sha256": sha256, "received": received}
    if session.execute(_NOTED, known).first() is None:
        session.execute(insert_into(SubmissionRow), known)


def _next_number(session: Session, grading: Grading) -> int:
    wanted = {"student": grading.student, "assignment": grading.assignment}
    return (session.execute(_LAST_NUMBER, wanted).scalar() or 0) + 1


def graded_keys(assignment: str, source_version: str) -> Select[str, str, datetime]:
    """Of the attempts that these tests judged, without those that were a fault or were taken back."""
    return select(AttemptRow.student, AttemptRow.sha256, AttemptRow.submitted).where(
        AttemptRow.assignment == assignment,
        AttemptRow.source_version == source_version,
        AttemptRow.state != AttemptState.FAULT.value,
        AttemptRow.id.not_in(undone()),
    )


def read_attempts(session: Session, student: str | None, assignment: str | None) -> tuple[Attempt, ...]:
    """Attempts, oldest first; of one student or one assignment where that is given."""
    known = {"student": student, "assignment": assignment}
    given = {name: value for name, value in known.items() if value is not None}
    wanted = select(AttemptRow).filter_by(**given).order_by(AttemptRow.id)
    wanted = wanted.options(selectinload(AttemptRow.notebooks).selectinload(NotebookRow.checks))
    counting = set(session.scalars(select(CountingRow.attempt_id).filter_by(**given)))
    aside = asides(session, select(AttemptRow.id).filter_by(**given))
    return tuple(read_attempt(row, row.id in counting, aside.get(row.id)) for row in session.scalars(wanted))
