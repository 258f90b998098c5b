"""Pushes as tests do: grades made by hand, patience shortened, all that was said kept."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from autograder.gradebook.gradetable import Grade, GradeState, StudentKeys
from hub.exchange.exchange import Exchange
from hub.lti.addresses import host_of
from hub.lti.launches import Launches
from hub.lti.passback import Passback, open_passback
from hub.lti.planning import Choices
from hub.lti.push import Order, Preview, Report, look, push
from hub.lti.records import Launch, Person, Registration
from hub.lti.wire import Pace
from tests.hub.exchange.course import FIRST
from tests.hub.lti.platform import CLIENT, CONTEXT, DEPLOYMENT, LINK, SCOPES, Platform

QUICK = Pace(connect=60, silence=60, whole=120, first_wait=0.01, longest_wait=0.02)
ONCE = Pace(connect=60, silence=60, whole=120, first_wait=0.01, longest_wait=0.02, tries=1)
MAXIMUM = 10.0


@dataclass
class Moved:
    """The clock, moved by so much."""

    by: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by


def grade(
    name: str,
    score: float | None,
    *,
    state: GradeState = GradeState.GRADED,
    maximum: float = MAXIMUM,
    feedback: str = "",
    **keys: str,
) -> Grade:
    return Grade("mls", FIRST, "Layers", StudentKeys(name, **keys), score, maximum, state, feedback=feedback)


@dataclass
class Room:
    """One course at both ends."""

    exchange: Exchange
    platform: Platform
    clock: Moved = field(default_factory=Moved)

    @property
    def registration(self) -> Registration:
        host = host_of(self.platform.token_url)
        return Registration(self.platform.url, CLIENT, self.platform.token_url, (host,))

    def launch(self, **changes: Any) -> None:
        """As a launch by the teacher and one by each student leave it."""
        told: dict[str, Any] = {
            "lineitems": self.platform.lineitems,
            "memberships": self.platform.memberships,
            "scopes": SCOPES[:4],
            "title": "Systems",
            "family": "canvas" if self.platform.switches.is_canvas else "moodle",
        }
        launches = Launches(self.exchange.database)
        launches.note(
            Launch(self.registration, DEPLOYMENT, CONTEXT, LINK, datetime.now(UTC), **{**told, **changes}),
            None,
        )
        people = [Person(self.platform.url, each.user_id, each.login) for each in self.platform.people]
        launches.note_people(people)

    def grades(self, *scores: float | None) -> list[Grade]:
        """Of the learners, in their order; None: pending."""
        learners = self.platform.people[1:]
        return [
            grade(person.login, score, state=GradeState.PENDING if score is None else GradeState.GRADED)
            for person, score in zip(learners, scores, strict=False)
        ]

    def open(self, pace: Pace = QUICK, stop: threading.Event | None = None) -> Any:
        return open_passback(self.exchange, pace=pace, stop=stop, clock=self.clock)

    def push(
        self,
        grades: Sequence[Grade],
        *,
        pace: Pace = QUICK,
        stop: threading.Event | None = None,
        order: Order | None = None,
        **given: Any,
    ) -> Report:
        with self.open(pace, stop) as passback:
            return push(passback, order or self.order(), grades, **given)

    def look(self, grades: Sequence[Grade], **choices: Any) -> Preview:
        with self.open() as passback:
            return look(passback, self.order(**choices), grades)

    def order(self, **choices: Any) -> Order:
        return Order(FIRST, "Layers", MAXIMUM, Choices(**choices))

    def on(self, **time: float) -> None:
        """A moment later, or earlier."""
        self.clock.by += timedelta(**time)

    def shown(self, assignment: str = FIRST) -> dict[str, float]:
        """What the platform's gradebook has."""
        return self.platform.grades(self.platform.column(assignment))


__all__ = ["FIRST", "ONCE", "QUICK", "Moved", "Passback", "Room", "grade"]
