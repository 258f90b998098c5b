"""The commands that show grades: feedback for students, export for instructors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from autograder.gradebook import read_standings
from autograder.gradebook.export import long_table, question_table, wide_table, write_csv
from autograder.gradebook.feedback import write_feedback as write_pages
from autograder.gradebook.standings import Standing, State
from course.material import read_assignments
from course.reader import read_course
from course.records import Course
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    CourseDir,
    CourseFile,
    Ids,
    number,
    progress_bar,
    results,
    told,
    words,
)
from hub.coursework import open_gradebook


def feedback_command(
    ids: Ids = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    student: Annotated[list[str] | None, typer.Option(help="Only these students.")] = None,
) -> None:
    """Write a page for each student: points and reasons by question, resources, repairs."""
    with told():
        folder = write_feedback(read_course(course), course_dir, tuple(ids or ()), tuple(student or ()))
        results.print(folder, soft_wrap=True)


def write_feedback(
    course: Course, course_dir: Path, ids: tuple[str, ...] = (), students: tuple[str, ...] = ()
) -> Path:
    """Writes the pages of all who submitted; returns the folder that holds them."""
    count = 0
    assignments = read_assignments(course, ids)
    with open_gradebook(course_dir) as gradebook, progress_bar() as bar:
        for assignment in assignments:
            titles = {question.id: question.title for question in assignment.questions}
            found = {attempt.student for attempt in gradebook.attempts(assignment=assignment.id)}
            chosen = sorted(found & set(students) if students else found)
            for each in bar.track(chosen, description=f"feedback {assignment.id}"):
                count += len(
                    write_pages(gradebook, each, assignment.id, title=assignment.title, titles=titles)
                )
    words.print(f"wrote {count} feedback pages")
    return course_dir / "feedback"


def export_command(
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    output: Annotated[
        Path | None, typer.Option(help="Where the files go.", show_default="exports/ in it")
    ] = None,
) -> None:
    """Write the grades as CSV: one row a grade, one row a student, one row a question."""
    with told():
        for name, path in write_export(read_course(course), course_dir, output):
            words.print(f"{name:10} {path}", soft_wrap=True)


def write_export(course: Course, course_dir: Path, output: Path | None = None) -> list[tuple[str, Path]]:
    """Writes the three tables; returns what each is and where."""
    folder = output or course_dir / "exports"
    with open_gradebook(course_dir) as gradebook:
        standings = read_standings(gradebook)
        tables = {
            "grades": long_table(standings),
            "wide table": wide_table(standings),
            "questions": question_table(gradebook),
        }
    show_states(standings)
    written = []
    for name, table in tables.items():
        path = folder / f"{course.id}-{name.replace(' ', '-')}.csv"
        write_csv(table, path)
        written.append((name, path))
    return written


def show_states(standings: Sequence[Standing]) -> None:
    """How many grades are final, and what the others wait for."""
    table = Table(header_style="bold")
    assignments = list(dict.fromkeys(each.assignment for each in standings))
    table.add_column("assignment")
    for state in State:
        table.add_column(state.value, justify="right")
    table.add_column("mean of graded", justify="right")
    for assignment in assignments:
        own = [each for each in standings if each.assignment == assignment]
        counts = [str(sum(each.state is state for each in own) or "") for state in State]
        points = [each.points for each in own if each.points is not None]
        mean = number(sum(points) / len(points)) if points else ""
        table.add_row(assignment, *counts, mean)
    words.print(table)
