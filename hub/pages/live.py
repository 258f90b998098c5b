"""What changes while somebody looks at it: one job as it runs, a student's newest submission.

A job has its page, and its events as they come (server-sent events); a student's page is told when to look
again.

Contract: an event's id is its place in the job's log, so a browser that comes back with
``Last-Event-ID`` misses nothing and sees nothing twice. The last event is ``end``.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.pages.jobs import Event, Job, Jobs
from hub.pages.overview import Card, Stage
from hub.pages.responses import PERSONAL, page
from hub.pages.site import Visit, not_found
from hub.pages.student import card_of, mark

POLL_SECONDS = 0.3
STANDING_SECONDS = 1.0
PATIENT_SECONDS = 10.0  # where nobody judges now: that may last for days, and a class keeps its pages open
LONGEST_SECONDS = 900.0  # then the browser asks again, if it is still there
SHOWN = frozenset(
    "event assignment student number state verdict points max_points message wall_seconds jobs question "
    "before after exit graded faults stopped done fate sends score maximum there note verdict".split()
)


@dataclass
class Progress:
    """What a job's log says so far."""

    expected: int = 0
    attempts: list[Event] = field(default_factory=list)
    written: int = 0
    changes: list[Event] = field(default_factory=list)
    planned: list[Event] = field(default_factory=list)
    delivered: list[Event] = field(default_factory=list)
    place: int = 0

    @property
    def done(self) -> int:
        return len(self.attempts) + self.written

    @property
    def sending(self) -> int:
        """Scores that a learning platform would get."""
        return sum(bool(each.get("sends")) for each in self.planned)

    @property
    def faults(self) -> int:
        return sum(each.get("state") == "fault" for each in self.attempts)

    @property
    def changed_students(self) -> int:
        return len({each["student"] for each in self.changes})


def job(visit: Visit) -> Response:
    """How far a job is, and what it did."""
    found = _job(visit)
    progress = read_progress(visit.site.jobs, found)
    return page(visit, "job.html.j2", job=found, progress=progress, words=visit.site.jobs.words(found.id))


def events(visit: Visit) -> Response:
    """The events of a job, from where the browser was."""
    found = _job(visit)
    asked = visit.request.headers.get("last-event-id") or visit.asked("after") or "0"
    after = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else 0
    return EventSourceResponse(
        follow(visit.site.jobs, found.id, after), headers={**PERSONAL, "X-Accel-Buffering": "no"}
    )


def standing(visit: Visit) -> Response:
    """An event whenever the visitor's newest submission of an assignment stands otherwise."""
    first = card_of(visit)
    return EventSourceResponse(
        changes(first, lambda: card_of(visit), lambda card: pause(visit, card)),
        headers={**PERSONAL, "X-Accel-Buffering": "no"},
    )


def pause(visit: Visit, card: Card) -> float:
    """Seconds until it's worth looking again."""
    judged_soon = card.stage is not Stage.GRADED and visit.site.records.board.live
    return STANDING_SECONDS if judged_soon else PATIENT_SECONDS


async def changes(
    card: Card, look: Callable[[], Card], pause: Callable[[Card], float]
) -> AsyncIterator[ServerSentEvent]:
    """The mark of the card, at first and whenever it is another one, as long as it may become one."""
    until, told = time.monotonic() + LONGEST_SECONDS, ""
    while time.monotonic() < until:
        if mark(card) != told:
            told = mark(card)
            yield ServerSentEvent(told)
        if not card.may_change:
            return
        await anyio.sleep(await run_in_threadpool(pause, card))
        card = await run_in_threadpool(look)


async def follow(jobs: Jobs, name: str, after: int) -> AsyncIterator[ServerSentEvent]:
    """Events behind a place, until the job has ended."""
    while True:
        running = (await run_in_threadpool(jobs.job, name)).running  # first: what it wrote last is read
        found, after = await run_in_threadpool(jobs.events, name, after)
        for place, event in found:
            yield ServerSentEvent(json.dumps(shown(event)), id=str(place))
        if not running:
            yield ServerSentEvent("{}", event="end")
            return
        await anyio.sleep(POLL_SECONDS)


def read_progress(jobs: Jobs, job: Job) -> Progress:
    """The log so far, added up."""
    progress = Progress()
    found, progress.place = jobs.events(job.id)
    for _, event in found:
        kind = event.get("event")
        if kind == "found":
            progress.expected += int(event.get("jobs", 0))
        elif kind == "attempt":
            progress.attempts.append(shown(event))
        elif kind == "written":
            progress.written += 1
        elif kind == "sent":
            progress.written = int(event.get("done", 0))
        elif kind == "changed":
            progress.changes.append(shown(event))
        elif kind == "planned":
            progress.planned.append(shown(event))
        elif kind == "delivered":
            progress.delivered.append(shown(event))
    return progress


def shown(event: Event) -> dict[str, Any]:
    """What a page needs of an event."""
    return {key: value for key, value in event.items() if key in SHOWN}


def _job(visit: Visit) -> Job:
    try:
        return visit.site.jobs.job(visit.part("job"))
    except KeyError:
        raise not_found() from None
