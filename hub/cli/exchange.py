"""The instructor's commands of the exchange: hand out, collect, extend, return, receipt."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from autograder.errors import AuthorError, PlatformError, SubmissionError
from autograder.gradebook import State, read_standings
from course.reader import read_course
from course.records import Course
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    AsJson,
    CourseDir,
    CourseFile,
    Ids,
    emit,
    results,
    told,
    words,
)
from hub.cli.grade import read_submission
from hub.coursework import entry_of, open_gradebook
from hub.exchange.answers import as_extension
from hub.exchange.client import TOKEN, URL, CourseClient
from hub.exchange.exchange import Exchange
from hub.exchange.opening import open_exchange
from hub.exchange.places import exchange_is_there
from hub.exchange.receipts import check_files, check_receipt, read_receipt
from hub.exchange.returning import Feedback, feedback_of, students_with_feedback

Students = Annotated[list[str] | None, typer.Option("--student", help="Only these students.")]


def hand_out_command(
    ids: Ids = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back; submissions stay.")] = False,
) -> None:
    """Let students fetch what `mlsys release` made, from the release date on."""
    with told(), opened(course, course_dir) as exchange:
        made = [each for each in chosen(exchange.course, ids) if ids or is_made(exchange.course_dir, each)]
        for each in made:
            if withdraw:
                exchange.withdraw(each)
                words.print(f"withdrawn  {each}")
            else:
                release = exchange.release(each)
                words.print(f"out        {each}, {len(release.files)} files, version {release.version[:12]}")


def collect_command(
    ids: Ids = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    student: Students = None,
    as_json: AsJson = False,
) -> None:
    """Lay the submissions that the exchange took into the course directory, to be graded."""
    with told(), opened(course, course_dir) as exchange:
        for each in chosen(exchange.course, ids):
            taken = exchange.collect(each, tuple(student or ()))
            for receipt in taken if as_json else ():
                emit({"assignment": each, "student": receipt.student, "sha256": receipt.sha256})
            words.print(f"collected {len(taken):4} new submissions of {each}")


def extend_command(
    assignment: Annotated[
        str | None, typer.Argument(help="Such as 07-autograd; without it, all are listed.")
    ] = None,
    student: Annotated[str | None, typer.Argument(help="Whose due date moves.")] = None,
    due: Annotated[
        str | None, typer.Argument(help="2027-03-01T18:00, in the course's time zone unless it says one.")
    ] = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    reason: Annotated[str, typer.Option(help="Kept with the extension.")] = "",
    end: Annotated[bool, typer.Option("--end", help="The course's due date holds again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give one student a later due date, end it, or list those that hold."""
    with told(), opened(course, course_dir) as exchange:
        if assignment is None or student is None:
            list_extensions(exchange, assignment, as_json=as_json)
            return
        entry_of(exchange.course, assignment)
        if end:
            exchange.end_extension(student, assignment)
            words.print(f"{assignment} is due for {student} when it is for all")
        elif due is None:
            raise AuthorError("say until when, such as 2027-03-01T18:00, or --end")
        else:
            until = moment(due, exchange.course)
            exchange.extend(student, assignment, until, by=getpass.getuser(), reason=reason)
            words.print(f"{assignment} is due for {student} on {until.isoformat()}")
        if any(each.late for each in exchange.submissions(student, assignment)) or end:
            words.print(f"what is graded already: `mlsys autograde {assignment} --student {student} --again`")


def list_extensions(exchange: Exchange, assignment: str | None, *, as_json: bool) -> None:
    table = Table("assignment", "student", "due", "by", "reason", header_style="bold")
    for each in exchange.extensions(assignment):
        if as_json:
            emit(as_extension(each))
        local = each.due.astimezone(exchange.course.timezone)
        table.add_row(each.assignment, each.student, f"{local:%Y-%m-%d %H:%M %Z}", each.by, each.reason)
    if not as_json:
        results.print(table)


def return_command(
    ids: Ids = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    student: Students = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also where a person has to grade yet, or another attempt counts.")
    ] = False,
) -> None:
    """Let students read the feedback pages that `mlsys feedback` wrote."""
    with told(), opened(course, course_dir) as exchange:
        for assignment in chosen(exchange.course, ids):
            found = list(written(exchange.course_dir, assignment, tuple(student or ())))
            final = found if everything else final_ones(exchange.course_dir, found)
            for each in final:
                exchange.give_back(
                    each.student, assignment, each.files, sha256=each.sha256, attempt=each.attempt
                )
            waiting = f", {len(found) - len(final)} are not final" if len(final) < len(found) else ""
            words.print(f"returned {len(final):4} of {assignment}{waiting}")


def written(course_dir: Path, assignment: str, students: tuple[str, ...]) -> Iterator[Feedback]:
    """The pages that are there, of some students or of all."""
    with open_gradebook(course_dir) as gradebook:
        for name in students or tuple(students_with_feedback(course_dir, assignment)):
            found = feedback_of(course_dir, gradebook, name, assignment)
            if found is not None:
                yield found


def final_ones(course_dir: Path, found: list[Feedback]) -> list[Feedback]:
    """Those of the attempt that counts, where nothing is waited for."""
    with open_gradebook(course_dir) as gradebook:
        counting = {
            (each.student, each.assignment): each.attempt
            for each in read_standings(gradebook)
            if each.state in (State.GRADED, State.UNREADABLE)
        }
    return [each for each in found if counting.get((each.student, each.assignment)) == each.attempt]


def receipt_command(
    receipt: Annotated[Path, typer.Argument(help="The receipt that was kept, a JSON file.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]…", help="The files that it is of.")
    ] = None,
    key: Annotated[str, typer.Option(help="The course's public key.", show_default="asks the course")] = "",
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    as_json: AsJson = False,
) -> None:
    """Verify a receipt: the course signed it, and these are the files that it is of."""
    with told():
        if not receipt.is_file():
            raise SubmissionError(f"{receipt}: no such file")
        found = read_receipt(receipt.read_bytes())
        check_receipt(found, key or public_key(course, course_dir))
        given: dict[str, bytes] = {}
        for path in files or ():
            given.update(read_submission(path))
        if files:
            check_files(found, given)
        taken = found.submission
        if as_json:
            emit({**asdict(taken), "received": taken.received.isoformat(), "files_checked": bool(files)})
        else:
            results.print(
                f"true: {taken.student} {taken.assignment} submission {taken.number}, received "
                f"{taken.received:%Y-%m-%d %H:%M:%S} UTC, sha256:{taken.sha256}",
                soft_wrap=True,
            )
        if not files:
            words.print("the files were not compared: name them after the receipt")


def public_key(course: Path, course_dir: Path) -> str:
    """The key of the course: from its service on the hub, else from the exchange of a course directory."""
    if os.environ.get(URL) and os.environ.get(TOKEN):
        with CourseClient.of_environment() as client:
            return client.course().receipt_key
    if not exchange_is_there(course_dir):
        raise PlatformError(f"{course_dir} has no exchange to ask for the course's key; give --key")
    with opened(course, course_dir) as exchange:
        return exchange.public_key


@contextmanager
def opened(course: Path, course_dir: Path) -> Iterator[Exchange]:
    """The exchange of a course directory, or the one that the environment names."""
    if not course_dir.is_dir():
        raise PlatformError(
            f"{course_dir} doesn't exist; run `mlsys release` first, or name another --course-dir"
        )
    with open_exchange(read_course(course), course_dir) as exchange:
        yield exchange


def chosen(course: Course, ids: list[str] | None) -> list[str]:
    """Assignments of the course, all without one."""
    return [entry_of(course, each).id for each in ids] if ids else [entry.id for entry in course.entries]


def is_made(course_dir: Path, assignment: str) -> bool:
    """Whether `mlsys release` has made what students get."""
    return (course_dir / "release" / assignment).is_dir()


def moment(text: str, course: Course) -> datetime:
    """A time; local to the course unless it says its offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise AuthorError(f"{text!r} is no time; write it like 2027-03-01T18:00") from None
    return found if found.tzinfo else found.replace(tzinfo=course.timezone)
