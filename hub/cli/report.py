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
from autograder.gradebook.lms.plan import OverMaximum
from autograder.gradebook.lms.sheet import Encoding
from autograder.gradebook.standings import Standing, State
from course.material import read_assignments
from course.reader import read_course
from course.records import Course
from hub.cli import lms
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    AsJson,
    CourseDir,
    CourseFile,
    Ids,
    emit,
    number,
    progress_bar,
    results,
    told,
    words,
)
from hub.coursework import open_gradebook
from hub.exporting import dry_run


def feedback_command(
    ids: Ids = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    student: Annotated[list[str] | None, typer.Option(help="Only these students.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a page for each student: points and reasons by question, resources, repairs."""
    with told():
        outline = read_course(course)
        folder = write_feedback(outline, course_dir, tuple(ids or ()), tuple(student or ()), as_json=as_json)
        if not as_json:
            results.print(folder, soft_wrap=True)


def write_feedback(
    course: Course,
    course_dir: Path,
    ids: tuple[str, ...] = (),
    students: tuple[str, ...] = (),
    *,
    as_json: bool = False,
) -> Path:
    """Writes the pages of all who submitted; returns the folder that holds them."""
    count = 0
    assignments = read_assignments(course, ids)
    with open_gradebook(course_dir) as gradebook, progress_bar() as bar:
        for assignment in assignments:
            titles = {question.id: question.title for question in assignment.questions}
            found = set(gradebook.submitters(assignment.id))
            chosen = sorted(found & set(students) if students else found)
            if as_json:
                emit({"event": "found", "assignment": assignment.id, "jobs": len(chosen)})
            for each in bar.track(chosen, description=f"feedback {assignment.id}"):
                count += len(
                    write_pages(gradebook, each, assignment.id, title=assignment.title, titles=titles)
                )
                if as_json:
                    emit({"event": "written", "assignment": assignment.id, "student": each})
    words.print(f"wrote {count} feedback pages")
    if as_json:
        emit({"event": "done", "pages": count})
    return course_dir / "feedback"


def export_command(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]…", help="With --to: assignments; all without one.")
    ] = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    to: lms.To = None,
    template: lms.Template = None,
    output: Annotated[
        Path | None, typer.Option(help="Where the files go.", show_default="exports/ in it")
    ] = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")] = False,
    yes: lms.Yes = False,
    missing_as_zero: lms.MissingAsZero = False,
    with_feedback: lms.WithFeedback = False,
    scale: lms.Scale = False,
    over: lms.Over = OverMaximum.REFUSE,
    column: lms.Columns = None,
    heading: lms.Headings = None,
    encoding: lms.FileEncoding = Encoding.UTF_8,
    oneroster: lms.Places = None,
    as_json: AsJson = False,
) -> None:
    """Write the grades: as CSV tables of our own, or with --to in a file for an LMS, after a report."""
    with told():
        if to is not None:
            wish = lms.Wish(
                to=to,
                ids=tuple(ids or ()),
                template=template,
                output=output,
                columns=lms.pairs("--column", column),
                headings=lms.pairs("--heading", heading),
                places=lms.pairs("--oneroster", oneroster),
                encoding=encoding,
                over=over,
                missing_as_zero=missing_as_zero,
                with_feedback=with_feedback,
                scale=scale,
                dry=dry,
                yes=yes,
                as_json=as_json,
            )
            lms.export_to(read_course(course), course_dir, wish)
            return
        only_to = (
            ids,
            template,
            yes,
            missing_as_zero,
            with_feedback,
            scale,
            column,
            heading,
            oneroster,
            as_json,
        )
        if any(only_to):
            raise typer.BadParameter("say for which system: --to canvas, moodle, …")
        if dry:
            preview(read_course(course), course_dir)
            return
        for name, path in write_export(read_course(course), course_dir, output):
            words.print(f"{name:10} {path}", soft_wrap=True)


def preview(course: Course, course_dir: Path) -> None:
    """What an export would hold."""
    with open_gradebook(course_dir) as gradebook:
        standings = read_standings(gradebook)
    report = dry_run(standings, [entry.id for entry in course.entries])
    show_states(standings)
    words.print(f"{report.rows} grades of {report.students} students would be written")
    for problem in report.problems:
        words.print(f"[yellow]note:[/] {problem}")


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
