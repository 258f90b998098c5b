"""What every command shares: where words go, how errors end, what the common options are.

Results go to stdout, words for people to stderr. Exit codes: 0 done; 1 the work failed on its
input (course content, a submission); 2 usage, or the platform.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from autograder.errors import GraderError, PlatformError
from course.reader import COURSE_FILE

FAILED, PLATFORM = 1, 2

PIPE_WIDTH = 140  # for a table that goes to a file or a pipe, which has no width of its own

words = Console(stderr=True, highlight=False)
results = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)

CourseFile = Annotated[
    Path, typer.Option("--course", envvar="MLSYS_COURSE", help="The course.toml to read.", show_default=False)
]
CourseDir = Annotated[
    Path,
    typer.Option(
        "--course-dir",
        envvar="MLSYS_COURSE_DIR",
        help="The course directory: source/, release/, submitted/ and the gradebook. Default: run/course.",
        show_default=False,
    ),
]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]…", help="Assignments; all of them without one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout, for scripts.")]

DEFAULT_COURSE = COURSE_FILE
DEFAULT_COURSE_DIR = Path("run/course")


def fail(error: GraderError) -> NoReturn:
    """Says what went wrong and ends the command."""
    words.print("[bold red]error:[/] ", end="")
    words.print(str(error), markup=False)
    raise typer.Exit(PLATFORM if isinstance(error, PlatformError) else FAILED)


@contextmanager
def told() -> Iterator[None]:
    """Turns the project's errors into words and an exit code."""
    try:
        yield
    except GraderError as error:
        fail(error)


def emit(record: dict[str, Any]) -> None:
    """One line of JSON on stdout."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


class RateColumn(ProgressColumn):
    """How many a second, and what the job tells of them."""

    def render(self, task: Task) -> Text:
        rate = f"{task.speed:.1f}/s" if task.speed else ""
        return Text("  ".join(part for part in (rate, str(task.fields.get("told", ""))) if part))


def progress_bar() -> Progress:
    """The bar of every long job: what, how many, how long it took and will take, and what came of it."""
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        RateColumn(),
        console=words,
        transient=True,
    )


def number(points: float) -> str:
    return f"{points:.2f}".rstrip("0").rstrip(".")
