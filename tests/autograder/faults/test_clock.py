"""A clock that steps changes no mark: receipts say when, attempts count by their order."""

from __future__ import annotations

import ast
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import autograder
from autograder.batch import GradingRoom, LocalBench, find_jobs, read_sources, record
from autograder.gradebook import Clock, Policy, after_the_last, latest_receipt
from autograder.judge import Court
from hub.coursework import open_gradebook
from tests.autograder.faults.canonical import canonical
from tests.autograder.faults.classroom import DUE, ID, Classroom, hand_in, written

HOUR = timedelta(hours=1)
NOW = datetime(2027, 3, 1, tzinfo=UTC)


def stepping(*steps: timedelta) -> Clock:
    """A clock that is off by another of these each time it is read."""
    off = itertools.cycle(steps)
    return lambda: NOW + next(off)


@pytest.mark.slow
def test_gradings_under_a_stepping_clock_are_the_same(few: Classroom, court: Court, tmp_path: Path) -> None:
    found = []
    for name, clock in {"calm": stepping(HOUR * 0), "steps": stepping(HOUR, -HOUR, 5 * HOUR)}.items():
        room = few.copy(tmp_path / name)
        sources = read_sources(room.course_dir, ID)
        grading_room = GradingRoom(
            room.course_dir, LocalBench(court), sources, b"secret", due=lambda student: DUE, clock=clock
        )
        with open_gradebook(room.course_dir) as gradebook:
            for job in find_jobs(room.course_dir, gradebook, ID, sources).jobs:
                record(gradebook, grading_room.grade(job), Policy.LAST)
        found.append(canonical(room))
    assert found[0] == found[1]
    assert found[0]["s002"]["attempt"]["late_seconds"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("step", [HOUR, -HOUR, 0 * HOUR])
def test_a_submission_that_comes_later_is_the_newer_one(room: Classroom, step: timedelta) -> None:
    before = latest_receipt(room.course_dir, "s000", ID)
    assert before is not None
    received = after_the_last(room.course_dir, "s000", ID, before.received + step)
    later = hand_in(room, "s000", written("wrong", 7), received)
    assert latest_receipt(room.course_dir, "s000", ID) == later
    assert later.received - before.received < HOUR + timedelta(seconds=1)


def test_no_deadline_reads_the_wall_clock() -> None:
    """Only the time of a grading is the wall clock's: whatever waits or measures takes the monotonic one."""
    readers = [
        f"{path.relative_to(package)}:{node.lineno}"
        for package in [Path(autograder.__file__).parent]
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and reads_wall_clock(node)
    ]
    assert [each.split(":")[0] for each in readers] == ["batch/grading.py"]


def reads_wall_clock(node: ast.Attribute) -> bool:
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    return (owner, node.attr) in {("time", "time"), ("datetime", "now"), ("datetime", "utcnow")}
