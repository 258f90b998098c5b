"""A race: two functions that take turns on the same fresh inputs, until the ratio's interval decides.

Contract: ``race`` returns the ratio reference seconds / student seconds with its interval. It stops when
more pairs can't change the points, or when the budget is spent.

Theory of operation: each pair gives both runners the same fresh inputs, in random order, and yields one
log-ratio. Whatever disturbs both turns of a pair alike cancels in it; what disturbs one is an outlier, and
the interval (see ``interval``) is that of the median. Turns are short, because a core that is shared with
others changes its speed within tens of milliseconds: the closer two turns are, the more cancels. What is not
the function's in a turn (letting the box go, handing over, stopping it) is what the reference's box says that
its calls didn't take; no student's code is there. The median of that is taken off both sides, and what it can
miss widens the interval. (A function that does nothing is handed over in half of the time, for it leaves the
caches as they were.) Every output of a timed call is checked, so a turn can't end before its work is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autograder.speed.interval import LOOKS, Interval, interval, is_look
from autograder.speed.score import Score

TURN_SECONDS = 0.005
# A box that was stopped begins on a core that has forgotten it: its first call takes so much longer, whatever
# it does. Measured as what two calls in a turn take less than two turns of one call.
WAKING_SECONDS = 0.0003
FIXED_SHARE = 0.03  # of a turn, for letting a box go and stopping it
MISSED_SHARE = 0.1  # of handing over, by which it may be missed, and by which the sides' may differ for good
LONGEST_TURN_SECONDS = 0.25  # for as many calls of one that is far too slow
MAX_BATCH = 1000
WARM_UP_PAIRS = 2
OVERHEAD_TURNS = 7
MOST_PAIRS = LOOKS[-1]
HOPELESS_PAIRS = 5
HOPELESS_SHARE = 0.8
HOPELESS_FACTOR = 3.0
NOISE_LIMIT = 0.25
WIDE = 1.25
# Two boxes with the same program in them may differ a little for as long as they live, through where their
# memory happens to lie: more pairs don't tell it from a difference of the programs. (What could make a tenth
# is moved each turn, see ``autograder.sandbox.heap``; beside noise nothing of it was left to be measured.)
ALLOWANCE = 0.005

Inputs = tuple[Any, ...]


class Runner(Protocol):
    """One side of a race."""

    def run(self, calls: Sequence[Inputs]) -> tuple[list[Any], float]:
        """The results of all calls, and the seconds that they took together, handing over included."""


class Rival(Runner, Protocol):
    """The reference's side."""

    def handing_over(self) -> float:
        """Seconds of the last turn that its calls didn't take."""


class Idle(Runner, Protocol):
    """A runner whose function does nothing: what handing over takes."""

    most_calls: int


class WrongOutput(Exception):
    """A timed call of the student's returned a wrong output."""


class NoisyHost(Exception):
    """Nothing is decided: the interval stays wide, and the reference's own times say that the host is why."""


@dataclass(frozen=True)
class Measurement:
    """``ratio`` = reference / student seconds; ``low`` and ``high`` bound it. ``samples`` are the pairs'
    (student, reference) seconds a call, without handing over. ``overhead`` is what handing over took beside
    the reference's, as a part of both together."""

    ratio: float
    low: float
    high: float
    decided: bool
    samples: tuple[tuple[float, float], ...]
    overhead: float = 0.0


def race(
    student: Runner,
    reference: Rival,
    idle: Callable[[Inputs, Any], Idle],
    make_inputs: Callable[[np.random.Generator], Inputs],
    agree: Callable[[Inputs, Any, Any], bool],
    score: Score,
    *,
    rng: np.random.Generator,
    clock: Callable[[], float],
    budget: float,
) -> Measurement:
    """Races ``student`` against ``reference`` for at most about ``budget`` seconds of ``clock``.

    ``idle(inputs, output)`` is the reference's box with a function that does nothing and returns
    ``output``. ``agree(inputs, student output, reference output)`` judges each timed call. Raises
    WrongOutput where it says no, NoisyHost where the budget ends without a decision and the host is why.
    """
    track = Track(student, reference, idle, make_inputs, agree, rng)
    start = clock()
    track.warm_up()
    samples: list[tuple[float, float]] = []
    lowest = min(ratio for ratio, _ in score.marks)
    while True:
        samples.append(track.pair())
        if hopeless(samples, lowest):
            return far_below(samples, track.overhead)
        spent = clock() - start > budget or len(samples) >= MOST_PAIRS
        if not spent and not is_look(len(samples)):
            continue
        found = bounds(samples, track.hidden, track.uneven)
        decided = settled(score, samples, found)
        if spent and not decided and found.high > WIDE * found.low and unsteady(samples):
            raise NoisyHost
        if spent or decided:
            high = found.high if decided else min(found.high, best(samples, track.warm))
            return Measurement(found.middle, found.low, high, decided, tuple(samples), track.overhead)


class Track:
    """The two runners and what they're fed."""

    def __init__(
        self,
        student: Runner,
        reference: Rival,
        idle: Callable[[Inputs, Any], Idle],
        make_inputs: Callable[[np.random.Generator], Inputs],
        agree: Callable[[Inputs, Any, Any], bool],
        rng: np.random.Generator,
    ) -> None:
        self.runners: tuple[Runner, Rival] = (student, reference)
        self.idle = idle
        self.make_inputs = make_inputs
        self.agree = agree
        self.rng = rng
        self.batches = (1, 1)
        self.warm: list[tuple[float, float]] = []  # seconds a call of the pairs that aren't counted
        self.turns: list[float] = []  # seconds of the rival's
        self.handed: list[float] = []  # of them, for handing over
        self.fixed_part = 1.0  # of those, however many calls a turn has
        self.shown: tuple[Inputs, Any] = ((), None)

    def warm_up(self) -> None:
        """Runs both, and finds how many calls make a turn long enough and what handing over takes.

        Who is far too slow gets turns of fewer calls. They are shorter for that side alone: one that is slow
        only while it warms up pays for what is fixed in a turn with fewer calls than its rival.
        """
        self.warm = [self.pair() for _ in range(WARM_UP_PAIRS)]
        quickest = [min(side) for side in zip(*self.warm, strict=True)]
        idle = self.idle(*self.shown)
        fixed = usual_seconds(idle, [])
        wanted = math.ceil(max(TURN_SECONDS, fixed / FIXED_SHARE) / min(quickest))
        most = min(MAX_BATCH, idle.most_calls, wanted)
        mine, rivals = (max(1, min(most, int(LONGEST_TURN_SECONDS / seconds))) for seconds in quickest)
        mine = min(mine, rivals)  # each of the student's calls is checked by a rival's
        self.batches = (mine, rivals)
        whole = usual_seconds(idle, [self.shown[0]] * rivals)
        self.fixed_part = min(1.0, fixed / whole)
        self.warm.append(self.pair())
        self.turns.clear()
        self.handed.clear()

    @property
    def handing_over(self) -> float:
        """Seconds that it takes in a turn of the rival's."""
        return float(np.median(self.handed))

    @property
    def overhead(self) -> float:
        """Handing over, as a part of the rival's turns."""
        return self.handing_over / float(np.median(self.turns))

    @property
    def hidden(self) -> float:
        """The part of the reference's time that handing over and waking may take without being seen."""
        return min(1.0, self.uneven + WAKING_SECONDS / self.calls)

    @property
    def uneven(self) -> float:
        """The part of the reference's time that handing over may take on one side alone."""
        return MISSED_SHARE * self.handing_over / self.calls

    @property
    def calls(self) -> float:
        """Seconds that the calls take in a turn of the rival's."""
        return calls_alone(float(np.median(self.turns)), self.handing_over)

    def pair(self) -> tuple[float, float]:
        """Seconds a call of (student, reference) on the same fresh inputs."""
        inputs = [self.make_inputs(self.rng) for _ in range(self.batches[1])]
        taken = [0.0, 0.0]
        outputs: list[list[Any]] = [[], []]
        for side in self.rng.permutation(2):
            outputs[side], taken[side] = self.runners[side].run(inputs[: self.batches[side]])
        self.turns.append(taken[1])
        self.handed.append(self.runners[1].handing_over())
        for each, mine, right in zip(inputs, *outputs, strict=False):
            if not self.agree(each, mine, right):
                raise WrongOutput
        self.shown = (inputs[0], outputs[1][0])
        mine, rivals = self.batches
        whole, part = self.handing_over, self.fixed_part + (1 - self.fixed_part) * mine / rivals
        return calls_alone(taken[0], part * whole) / mine, calls_alone(taken[1], whole) / rivals


def calls_alone(turn: float, handing_over: float) -> float:
    """Seconds. Half of a turn at the least, for who is as quick as that isn't told from handing over."""
    return max(turn - handing_over, turn / 2, 1e-9)


def usual_seconds(idle: Idle, calls: Sequence[Inputs]) -> float:
    """Of a turn that does nothing."""
    return float(np.median([idle.run(calls)[1] for _ in range(OVERHEAD_TURNS)]))


def settled(score: Score, samples: Sequence[tuple[float, float]], found: Interval) -> bool:
    """Whether more pairs are of no use. For points that rise with every hundredth they are of none once the
    allowances are all that is left of the interval."""
    if score.smooth:
        found = interval(logs_of(samples))
    return score.settled(found.low, found.high)


def logs_of(samples: Sequence[tuple[float, float]]) -> list[float]:
    return [math.log(reference / student) for student, reference in samples]


def bounds(samples: Sequence[tuple[float, float]], hidden: float, uneven: float = 0.0) -> Interval:
    """The ratio's interval, with what waking, and handing over that wasn't measured, may hide, and what is
    ``uneven`` between the sides.

    Where they are the part h of the reference's time, a measured ratio m stands for a true one of
    m (1 - h) / (1 - h m): they are alike on both sides, which draws the ratio towards 1. So the bound that is
    farther from 1 is moved away from it.
    """
    found = interval(logs_of(samples), ALLOWANCE + uneven)
    hidden = min(hidden, 0.5 / max(1.0, found.middle))
    factor = (1 - hidden) / (1 - hidden * found.middle)
    return Interval(found.low * min(1.0, factor), found.middle, found.high * max(1.0, factor))


def best(samples: Sequence[tuple[float, float]], warm: Sequence[tuple[float, float]]) -> float:
    """The ratio of the student's fastest turn to the reference's usual one.

    Of what stays undecided a student gets the benefit, but not of a turn in which the reference was held up.
    Where there are too few to tell the usual one, which a program can bring about, it is the fastest of all.
    """
    fastest = min(student for student, _ in samples)
    references = [reference for _, reference in samples]
    if len(samples) < HOPELESS_PAIRS:
        return min([*references, *(reference for _, reference in warm)]) / fastest
    return float(np.median(references)) / fastest


def hopeless(samples: Sequence[tuple[float, float]], lowest: float) -> bool:
    """Whether the student is so far below the lowest mark that more pairs are a waste.

    Not in every pair: one in which the reference was held up says nothing.
    """
    below = sum(reference / student < lowest / HOPELESS_FACTOR for student, reference in samples)
    return below >= max(HOPELESS_PAIRS, HOPELESS_SHARE * len(samples))


def far_below(samples: Sequence[tuple[float, float]], overhead: float) -> Measurement:
    """The verdict on a hopeless race: decided, with the range of what was seen."""
    ratios = [reference / student for student, reference in samples]
    return Measurement(float(np.median(ratios)), min(ratios), max(ratios), True, tuple(samples), overhead)


def unsteady(samples: Sequence[tuple[float, float]]) -> bool:
    """Whether the reference's own times, which no student can move, are spread too far."""
    low, middle, high = np.quantile([reference for _, reference in samples], [0.16, 0.5, 0.84])
    return bool((high - low) / 2 > NOISE_LIMIT * middle)
