"""Grading as submissions come in: in their order, each once, beside a batch, through stops and starts."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.batch import LocalBench
from autograder.gradebook import Attempt, AttemptState, take_in
from autograder.judge import Court
from course.compose import compose_stub
from course.material import read_assignment
from course.notebook import notebook_bytes
from course.reader import read_course
from course.records import Course
from course.release import release
from hub.board import Board
from hub.checks import Report, check_notebook, check_room
from hub.coursework import SERVER, grading_locks, open_gradebook
from hub.exchange.exchange import Exchange
from hub.serving import GradeServer
from tests.hub.command import ROOT, mlsys

pytestmark = pytest.mark.slow
ID = "07-autograd"
PATIENCE = 120
NOW = datetime(2027, 2, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def course() -> Course:
    return read_course()


@pytest.fixture(scope="module")
def released(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serving") / "course"
    release(course, folder, (ID,))
    return folder


@pytest.fixture
def course_dir(released: Path, tmp_path: Path) -> Path:
    subprocess.run(["cp", "-r", str(released), str(tmp_path / "course")], check=True)
    return tmp_path / "course"


def files(course: Course, words: str) -> dict[str, bytes]:
    assignment = read_assignment(course, ID)
    notebook = compose_stub(assignment)
    notebook.cells[0].source += f"\n{words}"
    return {f"{assignment.notebook}.ipynb": notebook_bytes(notebook)}


def hand_in(course: Course, course_dir: Path, student: str, minute: int) -> None:
    """As ``mlsys submit`` does."""
    received = NOW + timedelta(minutes=minute)
    receipt = take_in(course_dir, student, ID, files(course, student), clock=lambda: received)
    with open_gradebook(course_dir) as gradebook:
        gradebook.record_submission(receipt)


class Serving:
    """A server at work in a thread of its own, and what it has graded."""

    def __init__(self, server: GradeServer, court: Court) -> None:
        self.stop = threading.Event()
        self.told: queue.SimpleQueue[Attempt] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.serve, args=(server, court))
        self.thread.start()

    def serve(self, server: GradeServer, court: Court) -> None:
        for attempt in server.serve(self.stop, abandon=court.close):
            self.told.put(attempt)

    def graded(self, count: int) -> list[Attempt]:
        return [self.told.get(timeout=PATIENCE) for _ in range(count)]

    def end(self) -> None:
        """Nothing else was graded."""
        self.stop.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        assert self.told.empty()


@pytest.fixture
def serving(course: Course, course_dir: Path, court: Court) -> Iterator[Serving]:
    with closing(GradeServer(course, course_dir, LocalBench(court), (ID,), workers=1)) as server:
        made = Serving(server, court)
        yield made
        made.end()


def test_what_is_there_is_graded_and_then_what_comes_in_that_order(
    course: Course, course_dir: Path, serving: Serving
) -> None:
    for minute, student in enumerate(("zoe", "ama", "mia")):
        hand_in(course, course_dir, student, minute)
    assert [each.student for each in serving.graded(3)] == ["zoe", "ama", "mia"]
    for minute, student in enumerate(("kim", "bob")):
        hand_in(course, course_dir, student, 10 + minute)
    attempts = serving.graded(2)
    assert [each.student for each in attempts] == ["kim", "bob"]
    assert {each.state for each in attempts} == {AttemptState.GRADED}


def test_what_the_exchange_takes_is_collected_and_graded(
    course: Course, course_dir: Path, court: Court
) -> None:
    late = NOW + timedelta(minutes=1)
    with Exchange(course, course_dir, clock=lambda: late) as exchange:
        exchange.release(ID)
        exchange.submit("ama", ID, files(course, "first"))
        with closing(GradeServer(course, course_dir, LocalBench(court), (), workers=1)) as server:
            made = Serving(server, court)
            assert [each.student for each in made.graded(1)] == ["ama"]
            exchange.submit("bob", ID, files(course, "second"))
            [attempt] = made.graded(1)
            assert (attempt.student, attempt.submitted) == ("bob", late)
            made.end()


def test_visible_results_are_those_of_check_my_work_and_hold_nothing_hidden(
    course: Course, course_dir: Path, serving: Serving, court: Court
) -> None:
    hand_in(course, course_dir, "ama", 0)
    [attempt] = serving.graded(1)
    notice = Board(course_dir).notice("ama", ID)
    assert notice is not None and notice.live
    assert (notice.sha256, notice.received) == (attempt.sha256, attempt.submitted)
    [report] = notice.reports
    [(name, data)] = files(course, "ama").items()
    checked = check_notebook(check_room(course, course_dir, ID), court, name, data)

    def said(report: Report) -> list[object]:
        return [
            (question.title, [(c.id, c.verdict, c.words, c.message, c.points) for c in question.checks])
            for question in report.questions
        ]

    assert said(report) == said(checked)
    assert (report.title, report.summary) == (checked.title, checked.summary)
    hidden = lines(course_dir / "source" / ID / name) - lines(course_dir / "release" / ID / name)
    text = json.dumps(report.as_dict())
    assert hidden and not [line for line in hidden if json.dumps(line)[1:-1] in text]


def lines(notebook: Path) -> set[str]:
    """What stands in a notebook's cells, short lines left out."""
    cells = json.loads(notebook.read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    return {line.strip() for line in text.splitlines() if len(line.strip()) > 20}


def test_a_batch_beside_it_gets_its_turn_and_nothing_is_graded_twice(
    course: Course, course_dir: Path, serving: Serving
) -> None:
    hand_in(course, course_dir, "ama", 0)
    assert len(serving.graded(1)) == 1
    with grading_locks(course_dir, [ID]):  # the server lets go of it, and waits meanwhile
        hand_in(course, course_dir, "bob", 1)
        assert serving.told.empty()
    hand_in(course, course_dir, "mia", 2)
    done = mlsys("autograde", ID, "--json", "--course-dir", course_dir)
    assert done.returncode == 0, done.stderr
    hand_in(course, course_dir, "zoe", 3)
    assert serving.graded(1)
    serving.stop.set()
    serving.thread.join(PATIENCE)
    mlsys("autograde", ID, "--course-dir", course_dir)
    while not serving.told.empty():
        serving.told.get()
    with open_gradebook(course_dir) as gradebook:
        assert sorted(each.student for each in gradebook.attempts()) == ["ama", "bob", "mia", "zoe"]


def test_a_batch_waits_for_the_server_to_let_go(course_dir: Path) -> None:
    held, over = threading.Event(), threading.Event()

    def serve() -> None:
        with grading_locks(course_dir, [ID], by=SERVER):
            held.set()
            over.wait(60)

    server = threading.Thread(target=serve)
    server.start()
    assert held.wait(60)
    threading.Timer(0.2, over.set).start()
    with grading_locks(course_dir, [ID]):
        assert over.is_set()
    server.join()


def test_the_command_grades_until_it_is_stopped(course: Course, course_dir: Path) -> None:
    hand_in(course, course_dir, "ama", 0)
    command = [sys.executable, "-m", "hub.cli.app", "serve-grades", ID, "--json"]
    environment = {**os.environ, "MLSYS_COURSE_DIR": str(course_dir)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        first = json.loads(process.stdout.readline())
        hand_in(course, course_dir, "bob", 1)
        second = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        words = process.stderr.read()
    assert (first["student"], second["student"]) == ("ama", "bob")
    assert process.returncode == 0, words
    assert "stopped" in words
