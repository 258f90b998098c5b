"""How often one person may do a thing: a bucket of tokens each, and a number at the same time.

Contract: used from one event loop, so nothing here locks. ``clock`` counts seconds, never backwards.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FORGET = 10_000


class TooOften(Exception):
    """Come back in ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too often; wait {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Pace:
    """``burst`` at once, then one every ``every`` seconds; ``together``: how many may run at a time."""

    burst: int = 15
    every: float = 4.0
    together: int = 3


class Paces:
    """The paces of all people."""

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self.pace = pace
        self.clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._running: Counter[str] = Counter()

    @contextlib.contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """One turn of somebody's. Raises TooOften."""
        self._spend(name)
        if self._running[name] >= self.pace.together:
            raise TooOften(1)
        self._running[name] += 1
        try:
            yield
        finally:
            self._running[name] -= 1
            if not self._running[name]:
                del self._running[name]

    def _spend(self, name: str) -> None:
        now, pace = self.clock(), self.pace
        if len(self._left) > FORGET:
            full = pace.burst * pace.every
            self._left = {key: (left, at) for key, (left, at) in self._left.items() if now - at < full}
        left, at = self._left.get(name, (float(pace.burst), now))
        left = min(pace.burst, left + (now - at) / pace.every)
        if left < 1:
            self._left[name] = (left, now)
            raise TooOften(math.ceil((1 - left) * pace.every))
        self._left[name] = (left - 1, now)
