"""Runs jobs side by side and hands each grading over as it comes.

Contract: gradings are yielded in the caller's thread, which alone writes to the gradebook. Once
``stop`` is set no new job starts, and the running ones are still yielded. When the caller breaks off
(a second Ctrl-C, closing the generator), ``abandon`` is called to end the running jobs, and they are
not yielded. What was yielded is kept, the rest is found again by the next run. ``grade`` raises nothing:
see ``GradingRoom``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from autograder.batch.jobs import Job
from autograder.gradebook import Grading
from autograder.speed.cores import work_cores

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Batch:
    """One finished job."""

    job: Job
    grading: Grading


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
) -> Generator[Batch]:
    """Grades ``jobs`` with ``workers`` threads (0: ``default_workers``), in no particular order.

    A box dies with the thread that opened it, so each job lives in one thread. A caller that may break
    off closes the generator (``contextlib.closing``), or jobs go on behind its back.
    """
    pool = ThreadPoolExecutor(workers or default_workers(), thread_name_prefix="mlsys-grade")
    futures: dict[Future[Grading], Job] = {pool.submit(grade, job): job for job in jobs}
    waiting = set(futures)
    try:
        while waiting:
            if stop is not None and stop.is_set():
                waiting = {future for future in waiting if not future.cancel()}
            # With a time limit, so that Ctrl-C is noticed while nothing finishes.
            done, waiting = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
            for future in done:
                yield Batch(futures[future], future.result())
    finally:
        for future in waiting:
            future.cancel()
        if waiting:
            abandon()
        pool.shutdown(wait=True, cancel_futures=True)
