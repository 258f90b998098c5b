"""The interval of a race's ratio: what the pairs so far say of the median, however often one looks.

Contract: ``interval(logs)`` bounds the ratio whose logarithm is the median of ``logs``. If a race looks
at its interval at every one of LOOKS that it reaches, and once where its time is spent, the chance that
any of these intervals misses the truth is at most ERROR; so it may stop at whichever it likes.

Theory of operation. The k-th smallest and k-th largest of n values enclose the median unless fewer than
k fall on one side of it. Whether a value falls above the median is a fair coin's toss, whatever the
noise's shape, so the chance that any look misses is that of a random walk of fair tosses leaving its
bounds. It is summed exactly: the walk's distribution is carried from look to look, and each look takes
the narrowest interval (the largest k) that keeps the chance up to it within its share of ERROR, the
square root of pairs / LOOKS[-1]. (A rule of Lan and DeMets, "Discrete sequential boundaries for clinical
trials", 1983; the looks share most of their pairs, so this is narrower than a share of ERROR for each.)

Tosses are fair and independent where pairs are. Noise that lasts for several pairs makes them repeat
each other: n pairs are then worth n / ``dependence``, and the interval takes ranks as much further
out as that makes the count of tosses more uncertain (the root of it). The chance is then ERROR by
estimate, no longer by proof. In simulations this costs a fifth more pairs where pairs are independent;
deciding by medians of five pairs, which keeps as much of the promise under bursts, costs twice as many.
No statistic sees noise that outlasts the race, such as a process whose memory lies badly in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

ERROR = 0.001
LOOKS = (14, 18, 22, 28, 35, 44, 56, 70, 88, 110, 140, 175, 220, 275, 345, 430, 540, 675, 840)

Chances = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Ratios; ``low`` is 0 and ``high`` infinite where there are too few pairs."""

    low: float
    middle: float
    high: float

    def holds(self, ratio: float) -> bool:
        """Whether a ratio lies inside."""
        return self.low <= ratio <= self.high


def is_look(pairs: int) -> bool:
    """Whether a race may decide after this many pairs."""
    return pairs in LOOKS


def interval(logs: Sequence[float], allowance: float = 0.0, *, independent: bool = False) -> Interval:
    """Bounds the ratio by the logarithms of the pairs' ratios, in the order in which they were measured.

    ``allowance`` is a part of the ratio that is not known better however many pairs there are: the
    interval is that much wider on both sides. ``independent`` says that noise can't last from one pair to
    the next. Raises ValueError for no logarithms, or one that is no number.
    """
    values = np.asarray(logs, dtype=float)
    if values.size == 0 or np.isnan(values).any():
        raise ValueError("an interval needs numbers")
    ordered = np.sort(values)
    middle = ratio_of(float(np.median(ordered)))
    k = rank(len(ordered), 1.0 if independent else dependence(values))
    if k == 0:
        return Interval(0.0, middle, math.inf)
    low, high = float(ordered[k - 1]), float(ordered[-k])
    return Interval(ratio_of(low - allowance), middle, ratio_of(high + allowance))


def ratio_of(log: float) -> float:
    """exp, which is infinite where a float can't hold it."""
    return math.exp(log) if log < 700 else math.inf


def rank(pairs: int, dependence: float = 1.0) -> int:
    """The k for which the k-th smallest and k-th largest of ``pairs`` values are the interval; 0 for none.

    ``dependence`` is how many pairs are worth one independent pair.
    """
    centre = (pairs + 1) / 2
    k = independent_rank(pairs)
    return max(0, math.floor(centre - (centre - k) * math.sqrt(dependence) + 1e-9)) if k else 0


@lru_cache(maxsize=1024)
def independent_rank(pairs: int) -> int:
    """The largest k for which looks at LOOKS up to ``pairs``, and at ``pairs``, keep their share."""
    before = max((look for look in LOOKS if look < pairs), default=0)
    spent, walk = walk_to(before)
    walk = tossed(walk, pairs - before)
    share = ERROR * math.sqrt(min(1.0, pairs / LOOKS[-1]))
    k = 0
    while k < pairs // 2 and spent + outside(walk, k + 1) <= share:
        k += 1
    return k


@lru_cache(maxsize=1024)
def walk_to(look: int) -> tuple[float, Chances]:
    """(the chance that a look up to and with ``look`` misses, the chances of each number of heads at
    ``look`` together with no miss up to it)."""
    if look == 0:
        return 0.0, np.ones(1)
    before = max((each for each in LOOKS if each < look), default=0)
    spent, walk = walk_to(before)
    walk = tossed(walk, look - before)
    k = independent_rank(look)
    spent += outside(walk, k)
    walk[:k] = 0.0
    walk[look + 1 - k :] = 0.0
    return spent, walk


def tossed(walk: Chances, tosses: int) -> Chances:
    """The chances of each number of heads after more tosses."""
    for _ in range(tosses):
        walk = (np.append(walk, 0.0) + np.append(0.0, walk)) / 2
    return walk


def outside(walk: Chances, k: int) -> float:
    """The chance of fewer than k heads or fewer than k tails."""
    return float(walk[:k].sum() + walk[len(walk) - k :].sum())


def dependence(values: Sequence[float] | npt.NDArray[np.float64]) -> float:
    """How many values in a row are worth one independent value, at least 1.

    One plus twice the sum of the ranks' autocorrelations, up to the first that isn't positive (Geyer,
    "Practical Markov chain Monte Carlo", 1992); each is corrected for the mean's being taken from the
    same values.
    """
    ranks = mid_ranks(values)
    count = len(ranks)
    variance = float(np.mean(ranks**2))
    if count < 3 or variance == 0:
        return 1.0
    total = 0.0
    for lag in range(1, count // 3 + 1):
        correlation = float(np.mean(ranks[lag:] * ranks[:-lag])) / variance + 1 / count
        if correlation <= 0:
            break
        total += correlation
    return 1 + 2 * total


def mid_ranks(values: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each value's rank, less the mean rank; equal values share theirs."""
    _, place, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    ranks: npt.NDArray[np.float64] = (np.cumsum(counts) - (counts + 1) / 2)[place]
    return ranks - (len(ranks) - 1) / 2
