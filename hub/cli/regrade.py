"""regrade: judges graded submissions again, and says whose points changed.

With ``--json`` it writes what ``mlsys autograde --json`` writes, and before ``done`` a ``changed``
record for each student and question with other points than before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from autograder.gradebook.questions import question_points
from course.reader import read_course
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    AsJson,
    CourseDir,
    CourseFile,
    emit,
    number,
    results,
    told,
    words,
)
from hub.cli.grade import Assignment, done_record, end, grade_all
from hub.cli.host import require_isolation
from hub.cli.interrupts import first_interrupt
from hub.coursework import entry_of, open_gradebook
from hub.regrading import Change, changes


def regrade_command(
    assignment: Assignment,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    student: Annotated[list[str] | None, typer.Option(help="Only these students.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Submissions at the same time; 0: cores + 1.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Judge graded submissions again, after a check was changed, and say whose points changed."""
    require_isolation()
    with told():
        outline = read_course(course)
        entry_of(outline, assignment)
        with open_gradebook(course_dir) as gradebook:
            before = question_points(gradebook, assignment)
            with first_interrupt() as stop:
                attempts = grade_all(
                    outline,
                    course_dir,
                    [assignment],
                    tuple(student or ()),
                    again=True,
                    workers=workers,
                    as_json=as_json,
                    stop=stop,
                ).attempts
            changed = changes(before, question_points(gradebook, assignment))
        if as_json:
            for change in changed:
                emit({"event": "changed", **asdict(change)})
            emit(done_record(attempts, stop))
        else:
            show(changed, len(attempts))
    end(attempts, stop)


def show(changed: Sequence[Change], judged: int) -> None:
    """The table of changes."""
    table = Table(header_style="bold")
    for column in ("student", "question"):
        table.add_column(column)
    for column in ("before", "after"):
        table.add_column(column, justify="right")
    for each in changed:
        table.add_row(each.student, each.question, points(each.before), points(each.after))
    if changed:
        results.print(table)
    whose = len({each.student for each in changed})
    words.print(f"judged {judged} again; the points of {whose} changed")


def points(value: float | None) -> str:
    return "–" if value is None else number(value)
