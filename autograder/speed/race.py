"""A race: two functions timed in turn by one clock, until the ratio's interval decides.

Contract: ``race`` returns the ratio reference seconds / student seconds with a 99.9 % interval. It
stops when the interval lies on one side of every threshold or when the budget is spent.

Theory of operation: each pair gives both runners the same fresh inputs, in random order, and
yields one log-ratio. The interval is that of the median by order statistics, which assumes
nothing of the noise's shape: with n independent pairs, the k-th smallest and k-th largest
enclose the median unless fewer than k pairs fall on one side of it (binomial with p = 1/2). A timed
region ends when the outputs have arrived at the clock's side, so work can't be put off until
after it, and every output of a timed call is checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

CONFIDENCE = 0.999
LOOKS = (11, 16, 24, 36, 54, 80, 120)
BATCH_SECONDS = 0.002
MAX_BATCH = 64
HOPELESS_PAIRS = 5
HOPELESS_FACTOR = 3.0

Inputs = tuple[Any, ...]


class Runner(Protocol):
    """One side of a race."""

    def place(self, inputs: Sequence[Inputs]) -> Any:
        """Puts argument tuples where the function can reach them, untimed."""

    def run(self, placed: Any) -> list[Any]:
        """Calls the function on each placed tuple and returns the outputs, timed by the caller."""


class WrongOutput(Exception):
    """A timed call of the student's returned a wrong output."""


@dataclass(frozen=True)
class Measurement:
    """ratio = reference / student seconds; ``low`` and ``high`` bound it at 99.9 %."""

    ratio: float
    low: float
    high: float
    decided: bool
    samples: tuple[tuple[float, float], ...]

    @property
    def student_seconds(self) -> float:
        return float(np.median([student for student, _ in self.samples]))

    @property
    def reference_seconds(self) -> float:
        return float(np.median([reference for _, reference in self.samples]))


def race(
    student: Runner,
    reference: Runner,
    make_inputs: Callable[[np.random.Generator], Inputs],
    agree: Callable[[Inputs, Any, Any], bool],
    thresholds: Sequence[float],
    *,
    rng: np.random.Generator,
    clock: Callable[[], float],
    budget: float,
) -> Measurement:
    """Races ``student`` against ``reference`` for at most about ``budget`` seconds.

    ``agree(inputs, student output, reference output)`` judges each timed call. Raises
    WrongOutput where it says no.
    """
    track = Track(student, reference, make_inputs, agree, rng, clock)
    start = clock()
    batch = track.warm_up()
    samples: list[tuple[float, float]] = []
    while True:
        samples.append(track.pair(batch))
        measured = measure(samples, thresholds)
        if hopeless(samples, thresholds):
            return far_below(samples)
        spent = clock() - start > budget or len(samples) >= LOOKS[-1]
        if spent or (len(samples) in LOOKS and measured.decided):
            return measured


class Track:
    """The two runners and what they're fed."""

    def __init__(
        self,
        student: Runner,
        reference: Runner,
        make_inputs: Callable[[np.random.Generator], Inputs],
        agree: Callable[[Inputs, Any, Any], bool],
        rng: np.random.Generator,
        clock: Callable[[], float],
    ) -> None:
        self.runners = (student, reference)
        self.make_inputs = make_inputs
        self.agree = agree
        self.rng = rng
        self.clock = clock

    def warm_up(self) -> int:
        """Runs both twice; returns how many calls make a timed region long enough."""
        self.pair(1)
        fastest = min(self.pair(1))
        return max(1, min(MAX_BATCH, math.ceil(BATCH_SECONDS / max(fastest, 1e-9))))

    def pair(self, batch: int) -> tuple[float, float]:
        """Seconds a call of (student, reference) on the same fresh inputs."""
        inputs = [self.make_inputs(self.rng) for _ in range(batch)]
        seconds = [0.0, 0.0]
        outputs: list[list[Any]] = [[], []]
        for side in self.rng.permutation(2):
            placed = self.runners[side].place(inputs)
            begin = self.clock()
            outputs[side] = self.runners[side].run(placed)
            seconds[side] = (self.clock() - begin) / batch
        if len(outputs[0]) != batch or len(outputs[1]) != batch:
            raise WrongOutput
        for each, mine, right in zip(inputs, *outputs, strict=True):
            if not self.agree(each, mine, right):
                raise WrongOutput
        return seconds[0], seconds[1]


def rank(pairs: int) -> int:
    """The largest k for which the k-th smallest and k-th largest of ``pairs`` values enclose the
    median with CONFIDENCE; 0 where none does."""
    tail, k = 0.0, 0
    while k < pairs // 2:
        tail += math.comb(pairs, k) / 2**pairs
        if 2 * tail > 1 - CONFIDENCE:
            break
        k += 1
    return k


def measure(samples: Sequence[tuple[float, float]], thresholds: Sequence[float]) -> Measurement:
    """The ratio's median and interval; decided if no threshold lies inside the interval."""
    ratios = sorted(math.log(reference / student) for student, reference in samples)
    k = rank(len(ratios))
    middle = math.exp(float(np.median(ratios)))
    if k == 0:
        return Measurement(middle, 0.0, math.inf, False, tuple(samples))
    low, high = math.exp(ratios[k - 1]), math.exp(ratios[-k])
    decided = not any(low < threshold <= high for threshold in thresholds)
    return Measurement(middle, low, high, decided, tuple(samples))


def hopeless(samples: Sequence[tuple[float, float]], thresholds: Sequence[float]) -> bool:
    """Whether the student is so far below the lowest threshold that more pairs are a waste."""
    if len(samples) < HOPELESS_PAIRS:
        return False
    return all(reference / student < min(thresholds) / HOPELESS_FACTOR for student, reference in samples)


def far_below(samples: Sequence[tuple[float, float]]) -> Measurement:
    """The verdict on a hopeless race: decided, with the range of what was seen."""
    ratios = [reference / student for student, reference in samples]
    return Measurement(float(np.median(ratios)), min(ratios), max(ratios), True, tuple(samples))
