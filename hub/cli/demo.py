"""demo: the main job, end to end, on a class of sixteen."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from autograder.errors import AuthorError, PlatformError
from autograder.gradebook import AttemptState, Clock, take_in
from course.assignment import Assignment
from course.material import read_assignments
from course.reader import COURSE_FILE, read_course
from course.release import release
from course.verify import Case, Claim, Proof, cases
from hub.cli.author import explain, in_turn, proved
from hub.cli.console import FAILED, number, results, told, words
from hub.cli.grade import grade_all
from hub.cli.host import require_isolation
from hub.cli.report import write_export, write_feedback
from hub.cli.tally import Line, points_of, verdict_of
from hub.coursework import open_gradebook
from hub.demo.handins import HandIn, hand_ins

MARKER = ".mlsys-demo"
WRONG_STEP = 4  # `mlsys verify` judges all planted mistakes
REPEATS = 2  # `mlsys verify` judges the reference ten times
ATTACKS = COURSE_FILE.parent.parent / "tests" / "attacks"


def demo_command(
    course_dir: Annotated[Path, typer.Option(help="Where the demo's course directory goes.")] = Path(
        "run/demo"
    ),
    proof: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Prove the assignments before releasing them.")
    ] = True,
) -> None:
    """Build, prove, release, take in a class of 16, judge it in sandboxes, write feedback, export."""
    require_isolation()
    with told():
        course = read_course()
        assignments = read_assignments(course)
        make_room(course_dir)
        if proof:
            prove_all(assignments)
        released = release(course, course_dir)
        words.print(f"released {', '.join(each.assignment.id for each in released)}")
        handed = hand_ins(assignments, ATTACKS)
        take_all_in(course_dir, handed, {each.id: each for each in assignments})
        attempts = grade_all(course, course_dir, [each.id for each in assignments]).attempts
        pages = write_feedback(course, course_dir)
        tables = write_export(course, course_dir)
    misjudged = show(attempts, handed)
    for what, where in (("gradebook", course_dir / "gradebook.db"), ("feedback", pages), *tables):
        words.print(f"{what:10} {where}")
    if misjudged:
        words.print(
            f"[bold red]{misjudged} of {len(handed)} submissions did not get the mark they must get[/]"
        )
        raise typer.Exit(FAILED)
    words.print(f"all {len(handed)} submissions got the mark that they must get")


def make_room(course_dir: Path) -> None:
    """An empty course directory; one that a demo made is made anew, any other is left alone."""
    if course_dir.exists():
        if any(course_dir.iterdir()) and not (course_dir / MARKER).is_file():
            raise PlatformError(
                f"{course_dir} isn't a demo's; name an empty --course-dir or remove it yourself"
            )
        shutil.rmtree(course_dir)
    course_dir.mkdir(mode=0o700, parents=True)
    (course_dir / MARKER).touch()


def prove_all(assignments: Sequence[Assignment]) -> None:
    """The short form of `mlsys verify`: all claims, and a quarter of the planted mistakes."""
    rows = list(proved(in_turn([sample(cases(each, repeats=REPEATS)) for each in assignments])))
    for assignment in assignments:
        own = [row for row in rows if row.assignment == assignment.id]
        failed = [row for row in own if row.proof is not Proof.PROVED]
        for row in failed:
            explain(row, details=False)
        if failed:
            raise AuthorError(f"{assignment.id}: {len(failed)} of {len(own)} cases are not proved")
        words.print(f"verified {assignment.id}: {len(own)} cases")


def sample(proposed: Sequence[Case]) -> list[Case]:
    """Every case but three quarters of the wrong ones."""
    wrong = [case for case in proposed if case.claim is Claim.WRONG]
    left_out = {case.name for number, case in enumerate(wrong) if number % WRONG_STEP}
    return [case for case in proposed if case.claim is not Claim.WRONG or case.name not in left_out]


def take_all_in(course_dir: Path, handed: Sequence[HandIn], assignments: dict[str, Assignment]) -> None:
    """Each file as if it had come in a day before its due date."""
    with open_gradebook(course_dir) as gradebook:
        for each in handed:
            clock = day_before(assignments[each.assignment].entry.due)
            files = {each.file: each.data}
            receipt = take_in(course_dir.resolve(), each.student, each.assignment, files, clock=clock)
            gradebook.record_submission(receipt)
    words.print(f"took in {len(handed)} submissions of {len({each.student for each in handed})} students")


def day_before(due: datetime) -> Clock:
    """A clock that stands a day before a due date: the demo's course lies in the future."""
    return lambda: (due - timedelta(days=1)).astimezone(UTC)


def show(attempts: Sequence[Line], handed: Sequence[HandIn]) -> int:
    """The table; returns how many marks are not what they must be."""
    submitted = {(each.student, each.assignment): each for each in handed}
    table = Table(header_style="bold")
    for column in ("student", "assignment", "submission"):
        table.add_column(column)
    for column in ("points", "must get", "verdict", "seconds"):
        table.add_column(column, justify="left" if column == "verdict" else "right")
    wrong = 0
    for attempt in sorted(attempts, key=lambda each: (each.assignment, each.student)):
        each = submitted[attempt.student, attempt.assignment]
        good = attempt.state is not AttemptState.FAULT and abs(attempt.points - each.mark) < 1e-6
        wrong += not good
        table.add_row(
            attempt.student, attempt.assignment, each.label, points_of(attempt),
            number(each.mark) if good else f"[bold red]{number(each.mark)}[/]",
            verdict_of(attempt), f"{attempt.wall_seconds:.1f}",
        )  # fmt: skip
    results.print(table)
    return wrong + len(handed) - len(attempts)
