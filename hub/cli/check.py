"""check: the visible checks of an assignment on a notebook, as the grader runs them, without a grade."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.status import Status
from rich.text import Text

from autograder.errors import PlatformError, SubmissionError
from autograder.gradebook.plain import plain
from autograder.judge import Court
from autograder.repair import MAX_BYTES
from course.reader import read_course
from hub.checks import check_notebook, check_room
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    FAILED,
    PLATFORM,
    AsJson,
    CourseDir,
    CourseFile,
    emit,
    number,
    results,
    told,
    words,
)
from hub.cli.host import require_isolation
from hub.lab.course import CourseLink, Refusal, Unreachable, slim

OURS = 500  # and above: the service's fault
BUSY = 429
NOT_LOGGED_IN = 401
MARKS = {True: Text("✓", "green"), False: Text("✗", "bold red"), None: Text("·", "dim")}


def check_command(
    notebook: Annotated[Path, typer.Argument(help="The notebook that you work on.")],
    assignment: Annotated[
        str, typer.Option(help="Such as 07-autograd. Without it: what the notebook says, or its folder.")
    ] = "",
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    as_json: AsJson = False,
) -> None:
    """Check a notebook: run its visible checks in a sandbox, as the grader does. Gives no grade.

    On the hub the course service runs them; elsewhere they run here, against a course directory.
    """
    with told():
        data = read(notebook)
        named, slimmed = slim(data.decode("utf-8", "replace"), notebook.resolve().parent.name)
        wanted = assignment or named
        link = CourseLink.of_environment(os.environ)
        if link is None:
            require_isolation()
            report = checked_here(course, course_dir, wanted, notebook.name, data)
        else:
            report = asyncio.run(checked_there(link, wanted, notebook.name, slimmed))
    if as_json:
        emit(report)
    else:
        show(report)
    if report["fault"]:
        raise typer.Exit(PLATFORM)
    raise typer.Exit(0 if report["all_passed"] else FAILED)


def read(notebook: Path) -> bytes:
    if not notebook.is_file():
        raise SubmissionError(f"{notebook}: no such file")
    if notebook.stat().st_size > MAX_BYTES:
        raise SubmissionError(f"{notebook} has more than {MAX_BYTES // 2**20} MB; clear its outputs")
    return notebook.read_bytes()


def checked_here(course: Path, course_dir: Path, assignment: str, name: str, data: bytes) -> dict[str, Any]:
    """The report of a check in this process's own sandbox."""
    room = check_room(read_course(course), course_dir, assignment)
    with words.status("checking"), Court() as court:
        return check_notebook(room, court, name, data).as_dict()


async def checked_there(link: CourseLink, assignment: str, name: str, data: bytes) -> dict[str, Any]:
    """The report of the course service. Raises SubmissionError, PlatformError."""
    last: dict[str, Any] = {}
    try:
        with words.status("sending the notebook") as status:
            async for last in link.check(assignment, name, data):
                tell(status, last)
    except Refusal as refusal:
        kind = SubmissionError if blames_the_notebook(refusal.status) else PlatformError
        raise kind("; ".join(filter(None, (str(refusal), str(refusal.said.get("do", "")))))) from refusal
    except Unreachable as error:
        raise PlatformError(str(error)) from error
    if last.get("state") != "done":
        raise PlatformError(str(last.get("message", "the connection was lost; check again")))
    report: dict[str, Any] = last["report"]
    return report


def blames_the_notebook(status: int) -> bool:
    return status < OURS and status not in (BUSY, NOT_LOGGED_IN)


def tell(status: Status, news: dict[str, Any]) -> None:
    """How far the check is."""
    if news["state"] == "waiting":
        status.update(f"waiting; {news['position']} before you")
    elif news["state"] == "running":
        status.update(f"checking {news['done']} of {news['of']}" if news["of"] else "starting a sandbox")


def show(report: dict[str, Any]) -> None:
    """The report for people; what students wrote is never read as markup."""
    for sentence in report["repairs"]:
        words.print(sentence, markup=False)
    for cell in report["cells"]:
        results.print(
            Text.assemble(("Your cell ", "bold"), (plain(cell["title"]), "bold"), f": {cell['words']}")
        )
        results.print(Text(indented(cell["text"])))
    for question in report["questions"]:
        results.print(Text(plain(question["title"]), "bold"))
        for check in question["checks"]:
            show_check(check)
    results.print(plain(report["summary"]), markup=False)


def show_check(check: dict[str, Any]) -> None:
    passed = None if check["verdict"] is None else check["verdict"] == "OK"
    about = f" {check['title']} ({number(check['points'])} points): {check['words']}"
    results.print(Text.assemble("  ", MARKS[passed], about))
    if check["message"]:
        results.print(Text(indented(check["message"])))


def indented(text: str) -> str:
    return "\n".join(f"      {line}" for line in plain(text).splitlines())
