"""The instructor's commands: submit, autograde.

With ``--json`` autograde writes one record a line, in this order: ``found`` for each assignment,
``attempt`` for each grading, ``done`` at the end. A Ctrl-C (SIGINT, or SIGTERM) lets running submissions
end and records them; the exit code is then 130.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from autograder.batch import Memory, find_jobs, record, run_batch
from autograder.errors import PlatformError, SubmissionError
from autograder.gradebook import Attempt, AttemptState, after_the_last, mend, read_folder, take_in
from autograder.judge import Settings
from course.material import read_assignment
from course.reader import read_course
from course.records import Course
from hub.benches import Opener, bench_of, local_bench
from hub.cli.author import in_turn
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    PLATFORM,
    AsJson,
    CourseDir,
    CourseFile,
    emit,
    progress_bar,
    results,
    told,
    words,
)
from hub.cli.host import require_isolation
from hub.cli.interrupts import INTERRUPTED, first_interrupt
from hub.cli.tally import Line, Tally
from hub.coursework import entry_of, grading_locks, grading_room, open_gradebook, policy_of

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
        begin = time.monotonic()
        with first_interrupt() as stop:
            tally = grade_all(
                outline,
                course_dir,
                assignments,
                tuple(student or ()),
                again=again,
                workers=workers,
                as_json=as_json,
                stop=stop,
                benches=bench_of(scheduler, certificates),
            )
        if as_json:
            emit(done_record(tally.attempts, stop))
        else:
            show(tally, time.monotonic() - begin)
    end(tally.attempts, stop)


def show(tally: Tally, seconds: float) -> None:
    """The table of a batch, and its last words."""
    table = tally.table()
    if table is not None:
        results.print(table)
    for line in tally.last_words(seconds):
        words.print(line)


def done_record(attempts: Sequence[Line], stop: threading.Event) -> dict[str, object]:
    return {"event": "done", "graded": len(attempts), "faults": faults(attempts), "stopped": stop.is_set()}


def faults(attempts: Sequence[Line]) -> int:
    return sum(attempt.state is AttemptState.FAULT for attempt in attempts)


def end(attempts: Sequence[Line], stop: threading.Event) -> None:
    """Ends the command with the code that says how it went."""
    if failed := faults(attempts):
        words.print(f"[bold red]{failed} not graded: the platform failed.[/] No grade changed; run it again.")
    if stop.is_set():
        words.print("stopped; what was graded is kept, run the same command again to go on")
        raise typer.Exit(INTERRUPTED)
    if failed:
        raise typer.Exit(PLATFORM)


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
    benches: Opener = local_bench,
) -> Tally:
    """Grades the new submissions of some assignments under one progress bar.

    Raises PlatformError where one of them is being graded already, and at the end where a snapshot
    can't be read: all others are graded then.
    """
    tally = Tally()
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
                tally.add(attempt, finished.tries)
                bar.update(tasks[attempt.assignment], advance=1, told=tally.counts())
                tell(attempt, as_json=as_json)
    for assignment, own in jobs.items():
        if not own:
            words.print(f"{assignment}: nothing new to grade")
    require_undamaged([problem for each in found.values() for problem in each.damaged])
    return tally


def require_undamaged(problems: Sequence[str]) -> None:
    if problems:
        said = "\n".join(problems)
        raise PlatformError(f"snapshots that can't be read: {len(problems)}; all others are graded\n{said}")


def tell(attempt: Attempt, *, as_json: bool) -> None:
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
