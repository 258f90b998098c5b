"""A grading server that is killed, started again and has a batch beside it: nothing is lost, all is in order."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.gradebook import AttemptState
from hub.coursework import open_gradebook
from tests.autograder.faults.canonical import canonical, require_whole
from tests.autograder.faults.classroom import DUE, ID, Classroom, grade, hand_in, open_classroom, written
from tests.autograder.faults.disturber import descendants, look
from tests.hub.command import ROOT

THERE = ["honest", "half", "wrong", "exit in a call", "honest", "half"]
LATER = ["half", "honest", "unreadable", "wrong", "honest", "half", "honest", "wrong"]
PATIENCE_SECONDS = 120

pytestmark = pytest.mark.slow


@contextmanager
def serving(room: Classroom) -> Iterator[subprocess.Popen[str]]:
    """The server's process; one submission at a time, so that the order is strict."""
    where = ["--course", str(room.course), "--course-dir", str(room.course_dir)]
    words = [sys.executable, "-m", "hub.cli.app", "serve-grades", ID, *where, "--workers", "1", "--json"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, env={**os.environ}
    ) as server:
        try:
            yield server
        finally:
            server.kill()


def graded(server: subprocess.Popen[str], count: int) -> list[str]:
    """The students of the next gradings."""
    assert server.stdout is not None
    return [json.loads(server.stdout.readline())["student"] for _ in range(count)]


@functools.cache
def made(number: int) -> bytes:
    """The same bytes for each classroom."""
    return written(LATER[number], 100 + number)


def comes(room: Classroom, number: int) -> str:
    """One of LATER is handed in, as `mlsys submit` does it."""
    student, received = f"later{number}", DUE - timedelta(seconds=30 - number)
    with open_gradebook(room.course_dir) as gradebook:
        gradebook.record_submission(hand_in(room, student, made(number), received))
    return student


def test_killed_started_again_and_beside_a_batch(tmp_path: Path) -> None:
    room = open_classroom(tmp_path / "room", THERE)
    calm = room.copy(tmp_path / "calm")
    with serving(room) as server:
        # They were taken in one minute before the other, the last one first.
        assert graded(server, 2) == ["s005", "s004"]
        below = [each.key for each in descendants(server.pid)]
        server.kill()
    with open_gradebook(room.course_dir) as gradebook:  # it may have gone on before it was killed
        kept = {each.student for each in gradebook.attempts(assignment=ID)}
    assert kept >= {"s005", "s004"}
    later = [comes(room, number) for number in range(3)]  # while nobody serves
    with serving(room) as server:
        rest = [each for each in ("s003", "s002", "s001", "s000") if each not in kept]
        assert graded(server, len(rest) + len(later)) == [*rest, *later]
        assert [comes(room, 3)] == graded(server, 1)
        beside = subprocess.Popen(room.command("--json"), stdout=subprocess.DEVNULL, cwd=ROOT)
        for number in range(4, len(LATER)):
            comes(room, number)
        assert beside.wait(PATIENCE_SECONDS) == 0
        grade(room)  # nothing is left to it, or it takes its turn
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE_SECONDS) == 0
    for number in range(len(LATER)):
        comes(calm, number)
    grade(calm)
    require_whole(room)
    assert canonical(room) == canonical(calm)
    with open_gradebook(room.course_dir) as gradebook:
        assert all(each.state is not AttemptState.FAULT for each in gradebook.attempts(assignment=ID))
    assert not [each for pid, started in below if (each := look(pid)) and each.started == started]
