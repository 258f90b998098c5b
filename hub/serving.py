"""Grades submissions as they come in, in the order in which they came.

Theory of operation. A look at the exchange and one at the gradebook say what is new; both are one query.
New submissions are collected, and join a queue behind those that came before. What is in the queue is graded
by the engine that a batch has. Whoever grades an assignment holds its lock, this server too: only while it
grades, and never for long, so that a batch gets its turn. What the batch has graded meanwhile isn't graded
again. What visible checks said, and whether a submission is being judged, is put on the board, for pages;
feedback is given back where the course's policy doesn't leave that to the instructor.

Contract: no submission is graded twice, lost, or overtaken by one that came later, whoever else grades. A
fault of ours is recorded after its last try and the queue goes on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from autograder.batch import Batch, Job, LocalBench, Memory, find_jobs, record
from autograder.gradebook import Attempt, Gradebook, Grading, mend, receipts, source_version
from autograder.judge import NotebookResult
from autograder.repair import Repaired
from course.records import Course, When
from hub.board import Board
from hub.checks.checker import graded_report
from hub.checks.report import Report
from hub.coursework import SERVER, Busy, entry_of, grading_locks, grading_room, open_gradebook, policy_of
from hub.exchange.collecting import is_there, lay_down
from hub.exchange.exchange import Exchange
from hub.exchange.opening import open_exchange
from hub.exchange.places import exchange_is_there
from hub.giving import Giver
from hub.pages.material import Material

LOOK_SECONDS = 0.25
BREATH_SECONDS = 0.05  # without the lock, for those who wait for it
TURN_SECONDS = 5.0  # then others may have the lock
MOST_AT_ONCE = 500


Key = tuple[str, tuple[str, str, datetime]]


def key_of(job: Job) -> Key:
    """What makes it this submission: the assignment, and its key there."""
    return job.assignment, job.key


class GradeServer:
    """The queue of one course directory."""

    def __init__(
        self, course: Course, course_dir: Path, bench: LocalBench, names: tuple[str, ...], workers: int
    ) -> None:
        """``names``: the assignments to grade, all that are released if there are none."""
        self.course = course
        self.course_dir = course_dir.resolve()
        self.bench = bench
        self.workers = workers
        self.board = Board(course_dir)
        self.material = Material(course)
        released = [each.id for each in course.entries if (self.course_dir / "source" / each.id).is_dir()]
        self.names = names or tuple(released)
        self.queue: deque[Job] = deque()
        self.queued: set[Key] = set()
        self.taken = self.noted = 0
        self.mended: set[str] = set()
        with ExitStack() as owned:
            self.gradebook: Gradebook = owned.enter_context(open_gradebook(course_dir))
            self.exchange: Exchange | None = None
            if exchange_is_there(self.course_dir):
                self.exchange = owned.enter_context(open_exchange(course, self.course_dir))
            self.giver = Giver(course, self.gradebook, self.exchange, self.material, self.names)
            self.rooms = {each: grading_room(course, course_dir, each, bench) for each in self.names}
            self.versions = {each: source_version(room.sources) for each, room in self.rooms.items()}
            owned.enter_context(self.board.held())
            self.owned = owned.pop_all()

    def close(self) -> None:
        self.owned.close()

    def serve(self, stop: threading.Event, *, abandon: Callable[[], None]) -> Generator[Attempt]:
        """Each attempt as it is recorded, until ``stop`` is set."""
        self.catch_up()
        while not stop.is_set():
            self.look()
            yield from self.turn(stop, abandon)
            self.giver.give(time.monotonic())
            stop.wait(BREATH_SECONDS if self.queue else LOOK_SECONDS)

    # what is new

    def catch_up(self) -> None:
        """Queues all that is there and not graded, in the order in which it came."""
        self.collect()
        self.noted = self.gradebook.last_note()
        found = [job for name in self.names for job in self.ungraded(name)]
        for job in sorted(found, key=lambda job: job.receipt.received):
            self.add(job)

    def ungraded(self, name: str) -> tuple[Job, ...]:
        policy, sources = policy_of(entry_of(self.course, name)), self.rooms[name].sources
        return find_jobs(self.course_dir, self.gradebook, name, sources, policy=policy).jobs

    def look(self) -> None:
        """Queues what has come since the last look."""
        self.collect()
        for number, (student, assignment, sha256, received) in self.gradebook.submissions_since(self.noted):
            self.noted = number
            known = receipts(self.course_dir, student, assignment) if assignment in self.rooms else ()
            for receipt in known:
                if (receipt.sha256, receipt.received) == (sha256, received):
                    self.add(Job(receipt))

    def collect(self) -> None:
        """Lays what the exchange has taken into the course directory, and notes it in the gradebook."""
        while self.exchange is not None and (new := self.exchange.since(self.taken, MOST_AT_ONCE)):
            for each in new:
                if not is_there(self.course_dir, each):
                    files = self.exchange.read_submission(each)
                    self.gradebook.record_submission(lay_down(self.course_dir, each, files))
                self.taken = each.id

    def add(self, job: Job) -> None:
        if key_of(job) not in self.queued:
            self.queued.add(key_of(job))
            self.queue.append(job)

    # grading it

    def turn(self, stop: threading.Event, abandon: Callable[[], None]) -> Generator[Attempt]:
        """Grades from the head of the queue for a while, unless somebody else grades."""
        if not self.queue:
            return
        with ExitStack() as held:
            try:
                held.enter_context(grading_locks(self.course_dir, self.names, by=SERVER))
            except Busy:
                return
            self.mend()
            memory = Memory.of_host(lambda job: self.rooms[job.assignment].memory_bytes)
            with closing(Batch((), self.grade, self.workers, memory)) as batch:
                try:
                    yield from self.graded(batch, stop)
                finally:
                    if batch.running:
                        abandon()

    def graded(self, batch: Batch, stop: threading.Event) -> Generator[Attempt]:
        until = time.monotonic() + TURN_SECONDS
        while True:
            while self.queue and batch.has_room and not stop.is_set() and time.monotonic() < until:
                self.begin(batch, self.queue.popleft())
            if batch.over:
                return
            batch.start()
            for finished in batch.collect(LOOK_SECONDS):
                policy = policy_of(entry_of(self.course, finished.job.assignment))
                attempt = record(self.gradebook, finished.grading, policy)
                self.giver.graded(attempt)
                yield attempt
            self.look()

    def begin(self, batch: Batch, job: Job) -> None:
        """Hands a job to the engine, unless somebody has graded it meanwhile."""
        self.queued.discard(key_of(job))
        student, sha256, received = job.key
        version = self.versions[job.assignment]
        if not self.gradebook.is_graded(student, job.assignment, sha256, received, version):
            batch.add(job)

    def grade(self, job: Job) -> Grading:
        room, telling = self.rooms[job.assignment], Telling(self, job)
        if entry_of(self.course, job.assignment).feedback.visible is not When.RETURNED:
            room = replace(room, bench=replace(self.bench, seen=telling))
        return room.grade(job)

    def mend(self) -> None:
        for name in self.names:
            if name not in self.mended:
                mend(self.gradebook, name)
                self.mended.add(name)


class Telling:
    """Puts one submission on the board: that it is being judged, then what its visible checks said."""

    def __init__(self, server: GradeServer, job: Job) -> None:
        self.board, self.receipt = server.board, job.receipt
        self.sources = server.rooms[job.assignment].sources
        self.outline = server.material.outline(entry_of(server.course, job.assignment))
        self.reports: list[Report] = []
        self.board.tell(self.receipt)

    def __call__(self, name: str, repaired: Repaired, opened: NotebookResult) -> None:
        blank = Report(self.receipt.assignment, self.outline.title, name)
        source = self.sources[name]
        self.reports.append(graded_report(blank, source, repaired, opened, self.outline.titles))
        self.board.tell(self.receipt, self.reports)
