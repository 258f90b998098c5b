"""excuse: an assignment isn't asked of a student; exports write that where an LMS can take it."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from autograder.errors import AuthorError
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    AsJson,
    CourseDir,
    CourseFile,
    emit,
    results,
    told,
    words,
)
from hub.cli.exchange import opened
from hub.coursework import entry_of
from hub.exchange.exchange import Exchange
from hub.exchange.people import end_excuse, excuse, excuses


def excuse_command(
    assignment: Annotated[
        str | None, typer.Argument(help="Such as 07-autograd; without it, all are listed.")
    ] = None,
    student: Annotated[str | None, typer.Argument(help="Of whom it isn't asked.")] = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    reason: Annotated[str, typer.Option(help="Kept with it.")] = "",
    end: Annotated[bool, typer.Option("--end", help="It is asked again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Excuse one student from an assignment, end that, or list who is excused."""
    with told(), opened(course, course_dir) as exchange:
        if assignment is None:
            list_excuses(exchange, as_json=as_json)
            return
        entry_of(exchange.course, assignment)
        if student is None:
            raise AuthorError("say whom: mlsys excuse ASSIGNMENT STUDENT")
        if end:
            was = end_excuse(exchange, student, assignment)
            words.print(f"{student} was {'' if was else 'not '}excused from {assignment}")
        else:
            excuse(exchange, student, assignment, by=getpass.getuser(), reason=reason)
            words.print(f"{student} is excused from {assignment}")


def list_excuses(exchange: Exchange, *, as_json: bool) -> None:
    """Who is excused from what."""
    table = Table("assignment", "student", "by", "since", "reason", header_style="bold")
    for each in excuses(exchange.database):
        if as_json:
            emit({**asdict(each), "granted": each.granted.isoformat()})
        since = f"{each.granted:%Y-%m-%d %H:%M} UTC"
        table.add_row(*map(escape, (each.assignment, each.student, each.by, since, each.reason)))
    if not as_json:
        results.print(table)
