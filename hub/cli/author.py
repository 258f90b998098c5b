"""The author's commands: build, verify, release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from autograder.batch import default_workers
from autograder.judge import Court, RaceKind
from course.build import build
from course.material import read_assignments
from course.reader import read_course
from course.release import release
from course.verify import Case, Claim, Proof, Row, cases, prove
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    FAILED,
    PLATFORM,
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
from hub.cli.host import require_isolation

Item = TypeVar("Item")
MARK = {Proof.PROVED: "[green]✓[/]", Proof.REFUTED: "[bold red]✗[/]", Proof.FAULT: "[yellow]fault[/]"}


def build_command(
    ids: Ids = None, course: CourseFile = DEFAULT_COURSE, course_dir: CourseDir = DEFAULT_COURSE_DIR
) -> None:
    """Compose the nbgrader source notebooks from assignments/ and solutions/."""
    with told():
        for built in build(read_course(course), course_dir, tuple(ids or ())):
            words.print(f"{'built' if built.changed else 'unchanged':10} {built.folder}")


def release_command(
    ids: Ids = None, course: CourseFile = DEFAULT_COURSE, course_dir: CourseDir = DEFAULT_COURSE_DIR
) -> None:
    """Make what students receive, and refuse to if a solution or a hidden test is in it."""
    with told():
        for released in release(read_course(course), course_dir, tuple(ids or ())):
            words.print(f"{'released' if released.changed else 'unchanged':10} {released.folder}")


def verify_command(
    ids: Ids = None,
    course: CourseFile = DEFAULT_COURSE,
    repeats: Annotated[int, typer.Option(min=1, help="How often the reference is judged.")] = 10,
    workers: Annotated[int, typer.Option(min=0, help="Notebooks at the same time; 0: cores + 1.")] = 0,
    only: Annotated[
        list[Claim] | None, typer.Option(help="Only cases of this kind; may be given more than once.")
    ] = None,
    name: Annotated[str, typer.Option(help="Only cases whose name contains this.")] = "",
    details: Annotated[
        bool, typer.Option("--details", help="Show the traceback of each failed check.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prove assignments: reference full, stub 0, every wrong its mark, every right full, chameleon 0."""
    require_isolation()
    with told():
        assignments = read_assignments(read_course(course), tuple(ids or ()))
        proposed = in_turn([cases(each, repeats, only=only, name=name) for each in assignments])
        rows: list[Row] = []
        for row in proved(proposed, workers):
            rows.append(row)
            if as_json:
                emit(record(row))
    if not as_json:
        show(rows, details)
    raise typer.Exit(exit_code(rows))


def record(row: Row) -> dict[str, Any]:
    """A row as plain data, with what its races warn of."""
    races = [{**asdict(race), "warnings": [*filter(None, (race.heavy, race.close))]} for race in row.races]
    return {**asdict(row), "races": races}


def proved(proposed: Sequence[Case], workers: int = 0) -> Iterator[Row]:
    """Proves cases under a progress bar for each assignment."""
    with Court() as court, progress_bar() as bar:
        tasks = {
            each: bar.add_task(f"verify {each}", total=sum(case.assignment == each for case in proposed))
            for each in dict.fromkeys(case.assignment for case in proposed)
        }
        for row in prove(proposed, court, workers or default_workers()):
            bar.advance(tasks[row.assignment])
            yield row


def in_turn(sequences: Sequence[Sequence[Item]]) -> list[Item]:
    """One of each in turn: while one assignment's race holds the speed lane, another's checks run."""
    return [item for group in zip_longest(*sequences) for item in group if item is not None]


def exit_code(rows: list[Row]) -> int:
    proofs = {row.proof for row in rows}
    if Proof.REFUTED in proofs:
        return FAILED
    return PLATFORM if Proof.FAULT in proofs else 0


def show(rows: list[Row], details: bool) -> None:
    order = list(Claim)
    for assignment in dict.fromkeys(row.assignment for row in rows):
        own = [row for row in rows if row.assignment == assignment]
        table = Table(title=assignment, title_justify="left", title_style="bold")
        for column, justify in (("case", "left"), ("name", "left"), ("must get", "right"), ("got", "right")):
            table.add_column(column, justify=justify)  # type: ignore[arg-type]
        for column in ("seconds", "", "why not"):
            table.add_column(column, justify="right" if column == "seconds" else "left")
        for row in sorted(own, key=lambda row: (order.index(row.claim), row.name)):
            got = " ".join(dict.fromkeys(number(points) for points in row.got))
            table.add_row(
                row.claim,
                row.name,
                number(row.expected),
                got,
                f"{row.seconds:.1f}",
                MARK[row.proof],
                row.reason,
            )
        results.print(table)
        show_races(own)
    for row in rows:
        if row.proof is not Proof.PROVED or details:
            explain(row, details)
    proved = sum(row.proof is Proof.PROVED for row in rows)
    words.print(f"{proved} of {len(rows)} cases proved")


def show_races(rows: list[Row]) -> None:
    """How steady the races of an assignment were, and what to do about those that weren't."""
    raced = [(row, race) for row in rows for race in row.races]
    if not raced:
        return
    table = Table(title="races", title_justify="left", title_style="bold")
    for column in ("case", "name", "check"):
        table.add_column(column)
    for column in ("ratio", "spread", "pairs", "decided", "points", "changes", "overhead"):
        table.add_column(column, justify="right")
    for row, race in raced:
        table.add_row(
            row.claim,
            row.name,
            race.check,
            f"{'n^' if race.kind is RaceKind.GROWTH else ''}{race.ratio:.3g}",
            f"{100 * race.spread:.1f} %",
            number(race.pairs),
            f"{100 * race.decided:.0f} %",
            " ".join(number(points) for points in race.points),
            f"{'[bold red]' if race.wavering else ''}{race.changes} of {race.races}",
            f"{100 * race.overhead:.1f} %",
        )
    results.print(table)
    heaviest = {race.check: race for _, race in sorted(raced, key=lambda each: each[1].overhead)}
    found = [f"{race.check}: {race.heavy}" for race in heaviest.values() if race.heavy]
    found += [f"{race.check}: {row.claim} {row.name} is {race.close}" for row, race in raced if race.close]
    for each in found:
        words.print(f"[yellow]{each}[/]")


def explain(row: Row, details: bool) -> None:
    """The failed checks of a case, for its author."""
    words.print(f"[bold]{row.assignment} {row.claim} {row.name}[/]: {row.reason or 'as declared'}")
    seen = set()
    for failure in row.failures:
        if failure.check in seen:
            continue
        seen.add(failure.check)
        points = f"{number(failure.points)}/{number(failure.max_points)}"
        words.print(f"  {failure.check} {failure.verdict} {points} {failure.message}", markup=False)
        if failure.staff and (details or row.proof is not Proof.PROVED):
            tail = failure.staff if details else "\n".join(failure.staff.strip().splitlines()[-6:])
            words.print("    " + tail.replace("\n", "\n    "), markup=False)
