"""What the databases say: counted anew at each scrape, so that it survives every restart.

Contract: a scrape costs a few queries that count, at most once in ``SECONDS``; a database that doesn't
answer takes its own figures away and sets ``mlsys_database_up`` to 0, and the rest is still told.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy import Case, ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session

from autograder.errors import GraderError
from autograder.gradebook import AttemptState, Gradebook
from autograder.gradebook import tables as grading
from hub.backup.records import LAST_BACKUP
from hub.coursework import open_gradebook
from hub.exchange import tables as exchanged
from hub.exchange.exchange import Exchange

SECONDS = 10.0
GRADING_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)

log = logging.getLogger(__name__)


class StoredMetrics(Collector):
    """The figures of one course."""

    def __init__(
        self, exchange: Exchange, course_dir: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.exchange = exchange
        self.course_dir = course_dir
        self.registry = CollectorRegistry()
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, tuple[Metric, ...]] | None = None
        self._gradebook: Gradebook | None = None
        self.registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Called when the collector is registered: no database is asked for that."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Called by the registry at each scrape, from any thread."""
        with self._lock:
            now = self._clock()
            if self._known is None or now - self._known[0] >= SECONDS:
                self._known = (now, tuple(self._read()))
            return self._known[1]

    def close(self) -> None:
        """Closes the gradebook's connections."""
        with self._lock:
            self._close_gradebook()

    def _read(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("mlsys_database_up", "Whether a database answers.", labels=("database",))
        for name, read in (("exchange", self._exchange), ("gradebook", self._grading)):
            try:
                found = read()
            except GraderError as error:
                log.warning("metrics: %s", error)
                found = None
            up.add_metric((name,), float(found is not None))
            yield from found or ()
        yield up
        yield _disk(self.course_dir)
        yield _backup(self.course_dir)

    def _exchange(self) -> list[Metric]:
        with self.exchange.database.reading() as session:
            return list(exchange_metrics(session))

    def _grading(self) -> list[Metric]:
        try:
            self._gradebook = self._gradebook or open_gradebook(self.course_dir)
            with self._gradebook.database.reading() as session:
                return list(grading_metrics(session))
        except GraderError:
            self._close_gradebook()
            raise

    def _close_gradebook(self) -> None:
        if self._gradebook is not None:
            self._gradebook.close()
            self._gradebook = None


def exchange_metrics(session: Session) -> Iterator[Metric]:
    """Submissions taken in, feedback given back, people."""
    row = exchanged.SubmissionRow
    taken = CounterMetricFamily(
        "mlsys_submissions", "Submissions that were taken in.", labels=("assignment",)
    )
    newest = None
    counted = select(row.assignment, func.count(), func.max(row.received)).group_by(row.assignment)
    for assignment, count, received in session.execute(counted):
        taken.add_metric((assignment,), count)
        newest = received if newest is None else max(newest, received)
    yield taken
    yield _moment("mlsys_last_submission_timestamp_seconds", "When the newest submission came in.", newest)
    yield _counted(
        session,
        CounterMetricFamily("mlsys_feedback_returned", "Feedback given back.", labels=("assignment",)),
        select(exchanged.ReturnedRow.assignment, func.count()).group_by(exchanged.ReturnedRow.assignment),
    )
    yield _counted(
        session,
        GaugeMetricFamily("mlsys_members", "People on the roster.", labels=("role",)),
        select(exchanged.MemberRow.role, func.count()).group_by(exchanged.MemberRow.role),
    )


def grading_metrics(session: Session) -> Iterator[Metric]:
    """What came to the grader, what waits for it, and how gradings ended."""
    known, tried = grading.SubmissionRow, grading.AttemptRow
    collected = CounterMetricFamily(
        "mlsys_collected", "Submissions in the course directory.", labels=("assignment",)
    )
    yield _counted(session, collected, select(known.assignment, func.count()).group_by(known.assignment))
    judged = exists().where(
        tried.student == known.student,
        tried.assignment == known.assignment,
        tried.sha256 == known.sha256,
        tried.submitted == known.received,
        tried.state != AttemptState.FAULT.value,
    )
    waiting = GaugeMetricFamily(
        "mlsys_ungraded", "Submissions in the course directory without a verdict.", labels=("assignment",)
    )
    ungraded = func.sum(_one_where(~judged))
    yield _counted(session, waiting, select(known.assignment, ungraded).group_by(known.assignment))
    attempts = CounterMetricFamily(
        "mlsys_attempts",
        "Gradings, by how they ended; state fault is ours.",
        labels=("assignment", "state", "verdict"),
    )
    keys = (tried.assignment, tried.state, tried.verdict)
    yield _counted(session, attempts, select(*keys, func.count()).group_by(*keys))
    good = select(func.max(tried.graded)).where(tried.state != AttemptState.FAULT.value)
    yield _moment(
        "mlsys_last_graded_timestamp_seconds",
        "When a grading last ended without a fault.",
        session.scalars(good).one(),
    )
    yield _grading_seconds(session)


def _grading_seconds(session: Session) -> Metric:
    row = grading.NotebookRow
    total = func.sum(row.wall_seconds).label("seconds")
    attempts = select(row.attempt_id, total).group_by(row.attempt_id).subquery()
    seconds = attempts.c.seconds
    below = [func.sum(_one_where(seconds <= bound)) for bound in GRADING_SECONDS]
    count, spent, *counts = session.execute(select(func.count(), func.sum(seconds), *below)).one()
    buckets = [(str(bound), float(n or 0)) for bound, n in zip(GRADING_SECONDS, counts, strict=True)]
    found = HistogramMetricFamily("mlsys_grading_seconds", "Time that students' notebooks ran for a grading.")
    found.add_metric((), [*buckets, ("+Inf", float(count))], sum_value=float(spent or 0.0))
    return found


def _one_where(condition: ColumnElement[bool]) -> Case[int]:
    return case((condition, 1), else_=0)


def _counted(
    session: Session, family: CounterMetricFamily | GaugeMetricFamily, wanted: Select[*tuple[Any, ...]]
) -> Metric:
    """A family with a sample for each row: the labels, then the value."""
    for *labels, value in session.execute(wanted):
        family.add_metric([str(label) for label in labels], float(value))
    return family


def _moment(name: str, words: str, moment: datetime | None) -> Metric:
    family = GaugeMetricFamily(name, words)
    if moment is not None:
        family.add_metric((), moment.timestamp())
    return family


def _disk(folder: Path) -> Metric:
    family = GaugeMetricFamily(
        "mlsys_disk_bytes", "The file system of the course directory.", labels=("state",)
    )
    found = shutil.disk_usage(folder)
    family.add_metric(("used",), found.used)
    family.add_metric(("free",), found.free)
    return family


def _backup(course_dir: Path) -> Metric:
    """`mlsys backup` touches a file when it has succeeded."""
    family = GaugeMetricFamily("mlsys_last_backup_timestamp_seconds", "When a backup was last finished.")
    with contextlib.suppress(FileNotFoundError):
        family.add_metric((), (course_dir / LAST_BACKUP).stat().st_mtime)
    return family
