"""serve-grades: judges submissions as they come in, until it is stopped.

With ``--json`` it writes an ``attempt`` record a line for each grading, as ``mlsys autograde --json`` does. A
Ctrl-C (SIGINT, or SIGTERM) lets running submissions end and records them.
"""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from autograder.batch import LocalBench, default_workers
from autograder.gradebook import Attempt
from autograder.judge import Court
from course.reader import read_course
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    AsJson,
    CourseDir,
    CourseFile,
    Ids,
    emit,
    told,
    words,
)
from hub.cli.grade import attempt_record
from hub.cli.host import require_isolation
from hub.cli.interrupts import first_interrupt
from hub.cli.tally import points_of, verdict_of
from hub.coursework import entry_of
from hub.serving import GradeServer


def serve_grades_command(
    assignments: Ids = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    workers: Annotated[int, typer.Option(min=0, help="Submissions at the same time; 0: cores + 1.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Judge submissions as they come in, until Ctrl-C. May run beside the other commands."""
    require_isolation()
    with told():
        outline = read_course(course)
        for each in assignments or ():
            entry_of(outline, each)
        with first_interrupt() as stop, Court() as court:
            server = GradeServer(
                outline, course_dir, LocalBench(court), tuple(assignments or ()), workers or default_workers()
            )
            with contextlib.closing(server):
                words.print(
                    f"grading what comes in for {', '.join(server.names) or 'nothing'}; Ctrl-C ends it"
                )
                for attempt in server.serve(stop, abandon=court.close):
                    tell(attempt, as_json=as_json)
    words.print("stopped; what came in meanwhile is graded by the next run")


def tell(attempt: Attempt, *, as_json: bool) -> None:
    if as_json:
        emit(attempt_record(attempt))
    else:
        took = (attempt.graded - attempt.submitted).total_seconds()
        words.print(
            f"{attempt.graded:%H:%M:%S}  {attempt.student:16} {attempt.assignment:20}"
            f" {points_of(attempt):>10} {verdict_of(attempt)}  {took:.1f} s after it came in"
        )


__all__ = ["serve_grades_command"]
