"""Sends planned scores, in portions: noted in the log, sent, answers noted.

Theory of operation. A portion's scores are put into the log, each with its time, before any goes out; then a
few at once are sent, and the answers are noted. So a killed push leaves at most one portion of which
it isn't known whether it arrived, and the next push reads the platform first. A score's time is now: never
in the future, and a second at least after the last one of the same student and column. 409 (on Canvas
400) means that the platform has a score of that second or later: it is read back, and where it is
another one, sent once more with a later time.

Contract: one thread calls it. Order is kept for each student: a portion has a student once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from autograder.errors import PlatformError
from hub.lti.client import require_success
from hub.lti.log import Intent, Outcome, Past, Reply
from hub.lti.passback import Passback
from hub.lti.planning import Planned
from hub.lti.records import LineItem, Result
from hub.lti.scores import read_results, same, score_body, send_score
from hub.lti.wire import Stopped, Unreachable

PORTION, WORKERS = 64, 4
APART = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=5)
DATE_GRAIN = timedelta(seconds=2)  # what a Date header can't tell
MOST_AHEAD = timedelta(minutes=10)
CONFLICT, CANVAS_CONFLICT = 409, 400
ONE_STUDENT = frozenset({400, 409, 422})  # about one score; others are about all of them

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sent:
    """What came of a planned score. ``id``: in the log, None where it never went out."""

    planned: Planned
    outcome: Outcome
    status: int | None = None
    id: int | None = None
    note: str = ""


@dataclass
class Batch:
    """What was sent so far; ``broken``: why it ended before its time."""

    sent: list[Sent] = field(default_factory=list)
    broken: PlatformError | None = None


class Sender:
    """Sends the scores of one column."""

    def __init__(
        self, passback: Passback, item: LineItem, run: str, past: dict[str, Past], *, feedback: bool
    ) -> None:
        self._passback, self._item, self._run = passback, item, run
        self._last = {user_id: each.stamp for user_id, each in past.items()}
        self._feedback = feedback
        self._canvas = passback.launch.is_canvas

    def send(self, planned: Sequence[Planned], progress: Progress) -> Batch:
        """Sends until all went out, a person stops, or the platform doesn't answer."""
        batch = Batch()
        self._send_all(list(planned), batch, progress)
        conflicts = [each for each in batch.sent if each.outcome is Outcome.CONFLICT]
        if conflicts and batch.broken is None:
            try:
                self._reconcile(conflicts, batch)
            except PlatformError as error:
                batch.broken = error
        return batch

    def _send_all(self, planned: list[Planned], batch: Batch, progress: Progress) -> None:
        total = len(planned)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="lti") as pool:
            for portion in _portions(planned):
                try:
                    self._portion(portion, batch, pool)
                except PlatformError as error:
                    batch.broken = error
                if batch.broken is not None:
                    return
                progress(len(batch.sent), total)

    def _portion(self, portion: list[Planned], batch: Batch, pool: ThreadPoolExecutor) -> None:
        wire = self._passback.client.wire
        if wire.stop.is_set():
            raise Stopped("stopped")
        ready = []
        for each in portion:
            if self._wait_for(each) > LONGEST_WAIT:
                batch.sent.append(Sent(each, Outcome.CONFLICT, note=_clock_words(self._last[each.user_id])))
            else:
                ready.append(each)
        wait = max((self._wait_for(each) for each in ready), default=timedelta(0))
        if wait > timedelta(0):
            wire.wait(wait.total_seconds())
        intents = [self._intent(each) for each in ready]
        ids = self._passback.log.intend(self._run, self._item, self._place, intents)
        answered = list(pool.map(self._one, ready, intents, ids))
        self._passback.log.answered(
            [Reply(each.id, each.outcome, each.status) for each, _ in answered if each.id is not None],
            self._passback.clock(),
        )
        batch.sent += [each for each, _ in answered]
        errors = [error for _, error in answered if error is not None]
        # A person's stop is told as one, even where the platform broke off meanwhile.
        batch.broken = next((each for each in errors if isinstance(each, Stopped)), next(iter(errors), None))

    def _one(self, planned: Planned, intent: Intent, number: int) -> tuple[Sent, PlatformError | None]:
        """In a thread: sends one score."""
        comment = planned.grade.feedback if self._feedback else ""
        body = score_body(
            intent.user_id,
            intent.score,
            intent.maximum,
            intent.stamp,
            is_canvas=self._canvas,
            comment=comment,
        )
        try:
            answer = send_score(self._passback.client, self._item, body)
            if answer.status not in ONE_STUDENT:
                require_success(answer, "sending a score")
        except (Unreachable, Stopped) as error:
            return Sent(planned, Outcome.UNKNOWN, id=number), error
        except PlatformError as error:
            return Sent(planned, Outcome.REFUSED, id=number), error
        if answer.is_success:
            return Sent(planned, Outcome.ACCEPTED, answer.status, number), None
        is_conflict = answer.status == CONFLICT or (self._canvas and answer.status == CANVAS_CONFLICT)
        outcome = Outcome.CONFLICT if is_conflict else Outcome.REFUSED
        return Sent(planned, outcome, answer.status, number), None

    def _reconcile(self, conflicts: list[Sent], batch: Batch) -> None:
        """Reads the platform once: a score that is there has arrived; another is sent again, later."""
        results = read_results(self._passback.client, self._item)
        arrived: list[Sent] = []
        others: list[Sent] = []
        for each in conflicts:
            (arrived if _is_there(each.planned, results) else others).append(each)
        self._passback.log.answered(
            [Reply(each.id, Outcome.ACCEPTED, each.status) for each in arrived if each.id is not None],
            self._passback.clock(),
        )
        kept = [each for each in batch.sent if each.outcome is not Outcome.CONFLICT]
        unsent = [each for each in others if each.id is None]
        batch.sent = kept + unsent
        batch.sent += [
            Sent(each.planned, Outcome.ACCEPTED, each.status, each.id, "had arrived before")
            for each in arrived
        ]
        again = [each.planned for each in others if each.id is not None]
        # A second after now, not after their first time: what was in its way may be as late as now.
        self._last |= {each.user_id: self._now() for each in again}
        self._send_all(again, batch, lambda done, total: None)

    def _intent(self, planned: Planned) -> Intent:
        now, last = self._now(), self._last.get(planned.user_id)
        stamp = now if last is None else max(now, last + APART)  # that time has been waited for
        self._last[planned.user_id] = stamp
        assert planned.score is not None  # noqa: S101  # only planned scores are sent
        return Intent(
            planned.grade.item,
            planned.student,
            planned.user_id,
            planned.score,
            planned.grade.maximum,
            planned.grade.version,
            stamp,
        )

    def _wait_for(self, planned: Planned) -> timedelta:
        """Until a score of this student may have the time of now."""
        last = self._last.get(planned.user_id)
        return timedelta(0) if last is None else max(timedelta(0), last + APART - self._now())

    def _now(self) -> datetime:
        """The time of a score: the platform's own where this machine's clock is ahead of it.

        Raises PlatformError where the two are too far apart for one of them to be right.
        """
        ahead = self._passback.client.wire.ahead
        if abs(ahead) > MOST_AHEAD:
            raise PlatformError(
                f"this machine's clock and the platform's are {abs(ahead).total_seconds():.0f} seconds "
                "apart: set the clock, then run the same again"
            )
        now = self._passback.clock() - (ahead if ahead > DATE_GRAIN else timedelta(0))
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    @property
    def _place(self) -> tuple[str, str]:
        launch = self._passback.launch
        return launch.registration.issuer, launch.context


def _portions(planned: list[Planned]) -> Iterator[list[Planned]]:
    for start in range(0, len(planned), PORTION):
        yield planned[start : start + PORTION]


def _is_there(planned: Planned, results: dict[str, Result]) -> bool:
    assert planned.score is not None  # noqa: S101  # only planned scores are sent
    return same(planned.score, planned.grade.maximum, results.get(planned.user_id))


def _clock_words(last: datetime) -> str:
    return (
        f"the last score was sent with the time {last:%Y-%m-%d %H:%M:%S} UTC, which is in the future: "
        "was the clock set back?"
    )
