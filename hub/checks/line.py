"""Who may check their work now, who waits, and who is turned away with a word.

Contract: at most ``running`` checks run and ``waiting`` wait; a user has one at a time and a small
allowance of starts that fills up again. Used from one event loop only, so nothing here locks.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MANY_USERS = 10_000


class TurnedAway(Exception):
    """A check that isn't taken now: the HTTP status, words for the student, seconds to wait."""

    def __init__(self, status: int, words: str, seconds: float) -> None:
        super().__init__(words)
        self.status = status
        self.seconds = max(1, math.ceil(seconds))


@dataclass(frozen=True)
class Terms:
    """``running`` and ``waiting``: how many at once. A user may start ``burst`` checks at once and
    then one every ``every`` seconds. ``upload_seconds``: how long a notebook may take to arrive;
    ``check_seconds``: how long its check may, whatever the assignment allows."""

    running: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    waiting: int = 24
    burst: int = 6
    every: float = 15.0
    upload_seconds: float = 60.0
    check_seconds: float = 600.0


@dataclass(eq=False)
class Ticket:
    """One check from its request to its end. ``cancelled``: nobody waits for the answer any more."""

    user: str
    cancelled: bool = False


@dataclass(frozen=True)
class Allowance:
    """What was left of a user's allowance at a moment of the clock."""

    left: float
    at: float


class Line:
    """The tickets that were given out, and the order of those whose notebook is there."""

    def __init__(self, terms: Terms | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.terms = terms or Terms()
        self.clock = clock
        self.tickets: dict[str, Ticket] = {}
        self.ready: list[Ticket] = []
        self.allowances: dict[str, Allowance] = {}
        self.moved = asyncio.Event()

    def admit(self, user: str) -> Ticket:
        """A ticket; ``leave`` must follow. Raises TurnedAway where there is none to be had."""
        if user in self.tickets:
            raise TurnedAway(429, "your last check is still running; wait for it, then check again.", 5)
        self._within_allowance(user)
        if len(self.tickets) >= self.terms.running + self.terms.waiting:
            words = f"{len(self.tickets)} checks are waiting already; try again in a minute."
            raise TurnedAway(503, words, 60)
        self._spend(user)
        ticket = self.tickets[user] = Ticket(user)
        return ticket

    def stand_in(self, ticket: Ticket) -> None:
        """The ticket's notebook is there: from here on its turn comes."""
        self.ready.append(ticket)

    def position(self, ticket: Ticket) -> int:
        """How many turns the ticket waits; 0: it may run."""
        return max(0, self.ready.index(ticket) - self.terms.running + 1)

    async def wait(self, seconds: float) -> None:
        """Returns when somebody left, or after ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self.moved.wait()
        except TimeoutError:
            return

    def leave(self, ticket: Ticket) -> None:
        """The check is over, in whatever way; a second call does nothing."""
        if self.tickets.get(ticket.user) is ticket:
            del self.tickets[ticket.user]
        if ticket in self.ready:
            self.ready.remove(ticket)
        woken, self.moved = self.moved, asyncio.Event()
        woken.set()

    def _left(self, user: str) -> float:
        known = self.allowances.get(user)
        if known is None:
            return float(self.terms.burst)
        return min(self.terms.burst, known.left + (self.clock() - known.at) / self.terms.every)

    def _within_allowance(self, user: str) -> None:
        left = self._left(user)
        if left < 1:
            seconds = (1 - left) * self.terms.every
            words = f"you checked often in a short time; check again in {math.ceil(seconds)} seconds."
            raise TurnedAway(429, words, seconds)

    def _spend(self, user: str) -> None:
        if len(self.allowances) > MANY_USERS:
            full = [name for name in self.allowances if self._left(name) >= self.terms.burst]
            for name in full:
                del self.allowances[name]
        self.allowances[user] = Allowance(self._left(user) - 1, self.clock())
