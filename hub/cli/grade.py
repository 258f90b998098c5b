"""The instructor's commands: submit, autograde.

With ``--json`` autograde writes one record a line, in this order: ``found`` for each assignment,
``attempt`` for each grading, ``done`` at the end. A Ctrl-C (SIGINT, or SIGTERM) lets running submissions
end and records them; the exit code is then 130.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from autograder.batch import Bench, LocalBench, Memory, default_workers, find_jobs, record, run_batch
from autograder.errors import PlatformError, SubmissionError
from autograder.gradebook import Attempt, AttemptState, after_the_last, mend, read_folder, take_in
from autograder.judge import Court, Settings, Verdict
from course.material import read_assignment
from course.reader import read_course
from course.records import Course
from hub.cli.author import in_turn
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    PLATFORM,
    AsJson,
    CourseDir,
    CourseFile,
    emit,
    number,
    progress_bar,
    results,
    told,
    words,
)
from hub.cli.host import require_isolation
from hub.cli.interrupts import INTERRUPTED, first_interrupt
from hub.coursework import entry_of, grading_locks, grading_room, open_gradebook, policy_of

COLOURS = {Verdict.OK: "green", Verdict.FAULT: "bold red"}
Assignment = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Such as 07-autograd.")]


def submit_command(
    assignment: Assignment,
    path: Annotated[Path, typer.Argument(help="The notebook, or the folder with the files, to take in.")],
    student: Annotated[str, typer.Option(help="Whose submission it is.")],
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
) -> None:
    """Take in a student's files: an immutable snapshot, the server's time, a receipt."""
    with told():
        allowed = read_assignment(read_course(course), assignment).files
        files = read_submission(path)
        with open_gradebook(course_dir) as gradebook:
            receipt = take_in(
                course_dir.resolve(),
                student,
                assignment,
                files,
                clock=lambda: after_the_last(course_dir.resolve(), student, assignment, datetime.now(UTC)),
                allowed=allowed,
            )
            gradebook.record_submission(receipt)
        for name in receipt.ignored:
            words.print(
                f"ignored {name}: {assignment} takes notebooks and {', '.join(allowed) or 'nothing else'}"
            )
        words.print(f"taken in at {receipt.received:%Y-%m-%d %H:%M:%S} UTC")
        results.print(f"{student} {assignment} sha256:{receipt.sha256}", soft_wrap=True)


def read_submission(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return read_folder(path)
    if not path.is_file():
        raise SubmissionError(f"{path}: no such file or folder")
    return {path.name: path.read_bytes()}


def autograde_command(
    assignments: Annotated[list[str], typer.Argument(metavar="ASSIGNMENT…", help="Such as 07-autograd.")],
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    student: Annotated[list[str] | None, typer.Option(help="Only these students.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Grade what is graded already, too.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Submissions at the same time; 0: cores + 1.")] = 0,
    scheduler: Annotated[
        str,
        typer.Option(help="A Dask scheduler whose workers judge, such as tls://grading.example.org:8786."),
    ] = "",
    certificates: Annotated[
        Path | None, typer.Option(help="The folder with ca.pem, client.pem and client.key for it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge all new submissions in sandboxes and write their grades."""
    if not scheduler:
        require_isolation()
    with told():
        outline = read_course(course)
        for assignment in assignments:
            entry_of(outline, assignment)
        with first_interrupt() as stop:
            attempts = grade_all(
                outline,
                course_dir,
                assignments,
                tuple(student or ()),
                again=again,
                workers=workers,
                as_json=as_json,
                stop=stop,
                benches=benches(scheduler, certificates),
            )
        if as_json:
            emit(done_record(attempts, stop))
        else:
            show_attempts(attempts)
    end(attempts, stop)


def done_record(attempts: Sequence[Attempt], stop: threading.Event) -> dict[str, object]:
    return {"event": "done", "graded": len(attempts), "faults": faults(attempts), "stopped": stop.is_set()}


def faults(attempts: Sequence[Attempt]) -> int:
    return sum(attempt.state is AttemptState.FAULT for attempt in attempts)


def end(attempts: Sequence[Attempt], stop: threading.Event) -> None:
    """Ends the command with the code that says how it went."""
    if failed := faults(attempts):
        words.print(f"[bold red]{failed} not graded: the platform failed.[/] No grade changed; run it again.")
    if stop.is_set():
        words.print("stopped; what was graded is kept, run the same command again to go on")
        raise typer.Exit(INTERRUPTED)
    if failed:
        raise typer.Exit(PLATFORM)


@dataclass(frozen=True)
class OpenBench:
    """A bench that is open: ``here`` says whether boxes are made on this host."""

    bench: Bench
    abandon: Callable[[], None]
    here: bool
    slots: int = 0
    prepare: Callable[[Settings], None] = lambda settings: None
    wait: Callable[[], None] = lambda: None

    def workers(self, *, racing: bool) -> int:
        """How many submissions at once where nobody says."""
        return self.slots or default_workers(racing=racing)


@contextlib.contextmanager
def local_bench() -> Iterator[OpenBench]:
    with Court() as court:
        bench = LocalBench(court)
        yield OpenBench(bench, court.close, here=True, prepare=court.prepare, wait=court.wait)


def benches(scheduler: str, certificates: Path | None) -> Callable[[], AbstractContextManager[OpenBench]]:
    """This host's bench, or a cluster's. Raises PlatformError where no cluster can be asked."""
    if not scheduler:
        return local_bench
    try:
        from autograder.batch.cluster import (
            ClusterAddress,
            ClusterBench,
        )  # Dask is an extra, and slow to load
    except ImportError as error:
        raise PlatformError(
            f"--scheduler needs Dask ({error}); install it with: pip install 'mlsys-course[cluster]'"
        ) from error

    @contextlib.contextmanager
    def cluster_bench() -> Iterator[OpenBench]:
        with ClusterBench(ClusterAddress(scheduler, certificates)) as bench:
            yield OpenBench(bench, bench.close, here=False, slots=bench.slots)

    return cluster_bench


def grade_all(
    course: Course,
    course_dir: Path,
    assignments: Sequence[str],
    students: tuple[str, ...] = (),
    *,
    again: bool = False,
    workers: int = 0,
    as_json: bool = False,
    stop: threading.Event | None = None,
    benches: Callable[[], AbstractContextManager[OpenBench]] = local_bench,
) -> list[Attempt]:
    """Grades the new submissions of some assignments under one progress bar.

    Raises PlatformError where one of them is being graded already, and at the end where a snapshot
    can't be read: all others are graded then.
    """
    attempts: list[Attempt] = []
    with (
        open_gradebook(course_dir) as gradebook,
        grading_locks(course_dir, assignments),
        benches() as opened,
        progress_bar() as bar,
    ):
        for each in assignments:
            mend(gradebook, each)
        rooms = {each: grading_room(course, course_dir, each, opened.bench) for each in assignments}
        found = {
            each: find_jobs(
                room.course_dir,
                gradebook,
                each,
                room.sources,
                policy=policy_of(entry_of(course, each)),
                students=students,
                again=again,
            )
            for each, room in rooms.items()
        }
        jobs = {each: own.jobs for each, own in found.items()}
        for each, own in jobs.items() if as_json else ():
            emit({"event": "found", "assignment": each, "jobs": len(own)})
        for room in (rooms[each] for each, own in jobs.items() if own):
            for source in room.sources.values():
                opened.prepare(Settings.of_source(source))
        if any(jobs.values()):
            opened.wait()
        tasks = {each: bar.add_task(each, total=len(own)) for each, own in jobs.items() if own}
        queue = in_turn(list(jobs.values()))
        racing = any(rooms[each].races for each, own in jobs.items() if own)
        batch = run_batch(
            queue,
            lambda job: rooms[job.assignment].grade(job),
            workers or opened.workers(racing=racing),
            stop=stop,
            abandon=opened.abandon,
            memory=Memory.of_host(lambda job: rooms[job.assignment].memory_bytes) if opened.here else None,
        )
        with contextlib.closing(batch):
            for finished in batch:
                policy = policy_of(entry_of(course, finished.job.assignment))
                attempt = record(gradebook, finished.grading, policy)
                attempts.append(attempt)
                told_of(attempt, bar, tasks[attempt.assignment], as_json)
    for assignment, own in jobs.items():
        if not own:
            words.print(f"{assignment}: nothing new to grade")
    require_undamaged([problem for each in found.values() for problem in each.damaged])
    return attempts


def require_undamaged(problems: Sequence[str]) -> None:
    if problems:
        said = "\n".join(problems)
        raise PlatformError(f"snapshots that can't be read: {len(problems)}; all others are graded\n{said}")


def told_of(attempt: Attempt, bar: Progress, task: TaskID, as_json: bool) -> None:
    bar.advance(task)
    if as_json:
        emit(attempt_record(attempt))
    elif attempt.state is AttemptState.FAULT:
        words.print(f"{attempt.student} {attempt.assignment}: {attempt.message}", markup=False)


def attempt_record(attempt: Attempt) -> dict[str, object]:
    record = asdict(attempt)
    record.pop("notebooks")
    return {
        "event": "attempt",
        **record,
        "verdict": attempt.verdict,
        "wall_seconds": attempt.usage.wall_seconds,
    }


def show_attempts(attempts: Sequence[Attempt]) -> None:
    """The table of a batch, by assignment and student."""
    table = Table(header_style="bold")
    for column, justify in (("student", "left"), ("assignment", "left"), ("points", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    table.add_column("verdict")
    table.add_column("seconds", justify="right")
    table.add_column("repairs", justify="right")
    for attempt in sorted(attempts, key=lambda each: (each.assignment, each.student)):
        table.add_row(
            attempt.student,
            attempt.assignment,
            points_of(attempt),
            verdict_of(attempt),
            f"{attempt.usage.wall_seconds:.1f}",
            str(sum(len(each.repairs) for each in attempt.notebooks) or ""),
        )
    if attempts:
        results.print(table)


def points_of(attempt: Attempt) -> str:
    if attempt.state is AttemptState.FAULT:
        return "–"
    late = f" -{number(attempt.penalty)} late" if attempt.penalty else ""
    return f"{number(attempt.points)}/{number(attempt.max_points)}{late}"


def verdict_of(attempt: Attempt) -> str:
    word = attempt.verdict.value if attempt.state is not AttemptState.UNREADABLE else attempt.state.value
    return f"[{COLOURS.get(attempt.verdict, 'yellow')}]{word}[/]"
