"""A batch: every submission ends in a grading, a stop loses nothing, a fault is no zero."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from autograder.batch import GradingRoom, Job, LocalBench, default_workers, read_sources, run_batch
from autograder.errors import PlatformError
from autograder.gradebook import AttemptState, Grading, take_in
from autograder.judge import Court
from autograder.speed.cores import work_cores
from tests.autograder.target import REFERENCE, STUB, assignment

DUE = datetime(2027, 3, 1, 12, tzinfo=UTC)
EXTENSION = timedelta(hours=1)


def job(course_dir: Path, student: str, data: bytes, received: datetime = DUE) -> Job:
    return Job(take_in(course_dir, student, "target", {"target.ipynb": data}, clock=lambda: received))


def written(notebook: NotebookNode) -> bytes:
    return bytes(nbformat.writes(notebook), "utf-8")


@pytest.fixture
def room(tmp_path: Path, court: Court) -> GradingRoom:
    return GradingRoom(
        course_dir=tmp_path,
        bench=LocalBench(court),
        sources={"target": assignment(REFERENCE)},
        secret=b"secret",
        due=lambda student: None if student == "guest" else DUE + EXTENSION * (student == "ill"),
        penalty=lambda late, points: points / 10,
    )


def test_a_right_submission_gets_its_points_and_a_stub_none(room: GradingRoom) -> None:
    right = room.grade(job(room.course_dir, "ama", written(assignment(REFERENCE))))
    stub = room.grade(job(room.course_dir, "bob", written(assignment(STUB))))
    assert [each.notebooks[0].result.points for each in (right, stub) if each.notebooks[0].result] == [10, 0]
    assert right.state is AttemptState.GRADED


@pytest.mark.parametrize("data", [b"", b"%PDF", b"{}", b"[" * 100_000, b'{"cells": 3}', b"\xff\xfe"])
def test_what_is_no_notebook_gets_a_clear_verdict(room: GradingRoom, data: bytes) -> None:
    grading = room.grade(job(room.course_dir, "ama", data))
    assert grading.state is AttemptState.UNREADABLE
    assert grading.notebooks[0].problem
    assert not grading.fault


def test_lateness_is_counted_from_the_servers_time_and_costs_by_the_policy(room: GradingRoom) -> None:
    late = room.grade(job(room.course_dir, "ama", written(assignment(REFERENCE)), DUE + timedelta(hours=2)))
    assert late.late_seconds == 7200
    assert late.penalty == 1
    early = room.grade(job(room.course_dir, "bob", written(assignment(REFERENCE)), DUE - timedelta(days=1)))
    assert early.late_seconds == early.penalty == 0


def test_lateness_is_counted_from_the_students_own_due_date(room: GradingRoom) -> None:
    received = DUE + timedelta(hours=2)
    late = {student: room.late_seconds(student, received) for student in ("ama", "ill", "guest")}
    assert late == {"ama": 7200, "ill": 3600, "guest": 0}


def test_a_changed_snapshot_is_a_fault_and_no_grade(room: GradingRoom) -> None:
    given = job(room.course_dir, "ama", written(assignment(REFERENCE)))
    file = next((room.course_dir / given.receipt.folder).rglob("target.ipynb"))
    file.chmod(0o600)
    file.write_bytes(b"changed later")
    grading = room.grade(given)
    assert grading.state is AttemptState.FAULT
    assert "restore the snapshot" in grading.fault


def test_a_judge_that_cannot_start_is_a_fault_of_ours(
    room: GradingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_box(*arguments: object, **settings: object) -> None:
        raise PlatformError("no box to be had")

    monkeypatch.setattr(Court, "_pass", no_box)
    grading = room.grade(job(room.course_dir, "ama", written(assignment(REFERENCE))))
    assert grading.state is AttemptState.FAULT
    assert "no box to be had" in grading.fault


def test_a_bug_that_a_submission_meets_is_its_fault_with_the_place_for_staff(
    room: GradingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*arguments: object, **settings: object) -> None:
        raise ZeroDivisionError("the bug's own words")

    monkeypatch.setattr(Court, "_pass", bug)
    grading = room.grade(job(room.course_dir, "ama", written(assignment(REFERENCE))))
    assert grading.state is AttemptState.FAULT
    assert "ZeroDivisionError, test_batch.py" in grading.fault
    assert "the bug's own words" not in grading.fault
    assert "the bug's own words" in grading.trace


def test_the_seed_is_the_submissions_and_the_courses(room: GradingRoom) -> None:
    seeds = {room.seed("a", "n", "sha1"), room.seed("a", "n", "sha2"), room.seed("b", "n", "sha1")}
    assert len(seeds) == 3
    assert room.seed("a", "n", "sha1") == room.seed("a", "n", "sha1")


def test_a_missing_source_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="mlsys release target"):
        read_sources(tmp_path, "target")


def blank(graded: list[str]) -> Callable[[Job], Grading]:
    """Grades nothing, but remembers for whom it was asked."""

    def grade(each: Job) -> Grading:
        graded.append(each.student)
        return Grading(each.student, "target", each.receipt.sha256, DUE, DUE, ())

    return grade


def jobs_of(course_dir: Path, count: int) -> list[Job]:
    return [job(course_dir, f"s{number}", b"notebook %d" % number) for number in range(count)]


def test_every_job_is_yielded_once_whatever_the_workers(tmp_path: Path) -> None:
    for workers in (1, 3):
        done = [each.job.student for each in run_batch(jobs_of(tmp_path, 7), blank([]), workers)]
        assert sorted(done) == [f"s{number}" for number in range(7)]


def test_fewer_grade_at_once_where_submissions_race(room: GradingRoom) -> None:
    """A lane's core is no place for correctness work."""
    assert not room.races
    room.sources["target"].cells[-1].metadata["mlsys"] = {"speed": True}
    assert room.races
    cores = len(os.sched_getaffinity(0))
    assert default_workers() == cores + 1
    assert default_workers(racing=True) == len(work_cores()) + 1 <= cores + 1


def test_who_breaks_off_ends_what_is_running(tmp_path: Path) -> None:
    over = threading.Event()

    def grade(each: Job) -> Grading:
        if each.student != "s0":
            assert over.wait(60)
        return blank([])(each)

    batch = run_batch(jobs_of(tmp_path, 50), grade, workers=2, abandon=over.set)
    next(batch)
    batch.close()
    assert over.is_set()


def test_a_batch_that_is_done_abandons_nothing(tmp_path: Path) -> None:
    over = threading.Event()
    assert len(list(run_batch(jobs_of(tmp_path, 3), blank([]), abandon=over.set))) == 3
    assert not over.is_set()


def test_a_stop_lets_running_jobs_end_and_starts_no_more(tmp_path: Path) -> None:
    graded: list[str] = []
    batch = run_batch(jobs_of(tmp_path, 50), blank(graded), workers=1)
    next(iter(batch))
    batch.close()
    assert len(graded) < 50
    assert not [each for each in threading.enumerate() if each.name.startswith("mlsys-grade")]


def test_the_callers_interrupt_comes_through(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        for _ in run_batch(jobs_of(tmp_path, 5), blank([]), workers=1):
            raise KeyboardInterrupt


def test_a_stop_keeps_what_is_being_graded(tmp_path: Path) -> None:
    stop, graded = threading.Event(), list[str]()

    def grade(each: Job) -> Grading:
        stop.set()
        return blank(graded)(each)

    done = [each.job.student for each in run_batch(jobs_of(tmp_path, 50), grade, workers=2, stop=stop)]
    assert sorted(done) == sorted(graded)
    assert 0 < len(done) < 50
