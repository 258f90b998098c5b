"""Runs jobs side by side and hands each grading over as it comes.

Theory of operation. Each job is judged in one thread, which opens its boxes and waits for them; the work is
done in other processes. A job starts when a worker is free and the memory that it may take is. A grading
that is a fault of ours is not the end of a job: after a pause it is judged again, while others go on. The
last fault is handed over when no try is left.

Contract: gradings are yielded in the caller's thread, which alone writes to the gradebook. Once ``stop`` is
set no new job starts, the running ones are still yielded, and a job that waits for its next try is yielded as
the fault it was. When the caller breaks off (a second Ctrl-C, closing the generator), ``abandon`` is called
to end the running jobs, and they are not yielded. What was yielded is kept, the rest is found again by the
next run. ``grade`` raises nothing but what ends the whole batch: see ``GradingRoom``.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from autograder.batch.jobs import Job
from autograder.batch.memory import Memory
from autograder.gradebook import Grading
from autograder.speed.cores import work_cores

POLL_SECONDS = 0.5
# Before the second and the third try. The judge has tried twice at once by then: what is left takes time to
# pass, such as a host that is short of memory or too busy to measure speed.
PAUSES = (2.0, 15.0)


@dataclass(frozen=True)
class Finished:
    """A job that is over; ``tries`` is how often it was judged."""

    job: Job
    grading: Grading
    tries: int = 1


@dataclass(frozen=True, order=True)
class Waiting:
    """A job that was a fault, and when its next try may start. ``number`` keeps the order of equals."""

    due: float
    number: int
    job: Job = field(compare=False)
    grading: Grading = field(compare=False)
    tries: int = field(compare=False)


def default_workers(*, racing: bool = False) -> int:
    """One a core, and one more for while a race waits for the speed lane. Where submissions are raced,
    correctness work has fewer cores (see ``autograder.speed.cores``)."""
    cores = work_cores() if racing else os.sched_getaffinity(0)
    return len(cores) + 1


def run_batch(
    jobs: Sequence[Job],
    grade: Callable[[Job], Grading],
    workers: int = 0,
    *,
    stop: threading.Event | None = None,
    abandon: Callable[[], None] = lambda: None,
    memory: Memory | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Generator[Finished]:
    """Grades ``jobs`` with ``workers`` threads (0: ``default_workers``); they start in the order given.

    A caller that may break off closes the generator (``contextlib.closing``), or jobs go on behind its back.
    """
    batch = Batch(jobs, grade, workers or default_workers(), memory or Memory.unlimited(), pauses)
    try:
        while not batch.over:
            if stop is not None and stop.is_set():
                yield from batch.give_up()
            batch.start()
            yield from batch.collect()
    finally:
        if batch.running:
            abandon()
        batch.close()


class Batch:
    """The jobs of one run: those to come, those that wait for another try, those that run."""

    def __init__(
        self,
        jobs: Sequence[Job],
        grade: Callable[[Job], Grading],
        workers: int,
        memory: Memory,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.grade = grade
        self.workers = workers
        self.memory = memory
        self.pauses = pauses
        self.ready = deque((job, 1) for job in jobs)
        self.waiting: list[Waiting] = []
        self.running: dict[Future[Grading], tuple[Job, int]] = {}
        self.numbers = itertools.count()
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="mlsys-grade")

    @property
    def over(self) -> bool:
        return not (self.ready or self.waiting or self.running)

    @property
    def has_room(self) -> bool:
        """Whether a job that is added now may start now."""
        return len(self.running) + len(self.ready) < self.workers

    def add(self, job: Job) -> None:
        """Another job, behind those that are there."""
        self.ready.append((job, 1))

    def give_up(self) -> Generator[Finished]:
        """Starts nothing more; what waits for another try is told as it is."""
        self.ready.clear()
        while self.waiting:
            one = heapq.heappop(self.waiting)
            yield Finished(one.job, one.grading, one.tries)

    def start(self) -> None:
        """Starts what may start now."""
        while self.waiting and self.waiting[0].due <= time.monotonic():
            one = heapq.heappop(self.waiting)
            self.ready.append((one.job, one.tries + 1))
        while self.ready and len(self.running) < self.workers and self.memory.take(self.ready[0][0]):
            job, tries = self.ready.popleft()
            self.running[self.pool.submit(self.grade, job)] = (job, tries)

    def collect(self, patience: float = POLL_SECONDS) -> Generator[Finished]:
        """What has ended, after waiting a moment for it: Ctrl-C is noticed while nothing finishes."""
        if self.waiting:
            patience = min(patience, max(0.0, self.waiting[0].due - time.monotonic()))
        if not self.running:
            time.sleep(patience)
            return
        done, _ = wait(self.running, patience, FIRST_COMPLETED)
        for future in done:
            job, tries = self.running.pop(future)
            self.memory.give_back(job)
            grading = future.result()
            if grading.fault and tries <= len(self.pauses):
                due = time.monotonic() + self.pauses[tries - 1]
                heapq.heappush(self.waiting, Waiting(due, next(self.numbers), job, grading, tries))
            else:
                yield Finished(job, grading, tries)

    def close(self) -> None:
        """Waits for the running jobs, which are not told of any more."""
        self.pool.shutdown(wait=True, cancel_futures=True)
