"""The same submission regraded ten thousand times, by simulation on noise that races have recorded.

Run: ``.venv/bin/python -m benchmarks.regrading [--samples FILE]``. FILE is JSON: a list of whole races, each
the list of its pairs [student's seconds, reference's seconds], of a function raced against itself, so that
the true ratio is 1. A regrading draws one of the races and puts a new one together from blocks of its
pairs (a block bootstrap: noise that lasts for several pairs stays together, and what was particular to
that race stays in all of it), moves it to a true ratio so far from a threshold, and decides as a race does,
at its looks. Without FILE the noise is made up: pauses, bursts, and an offset of half a percent a race.

It prints how often a regrading gets another band than the truth's, how often the interval holds the truth,
and how many pairs that takes; each rate with its exact 95 % bounds (Clopper and Pearson, 1934). Ends with 1
where more than one in a thousand gets another band for certain. What stops a hopeless race early isn't in it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autograder.speed.interval import LOOKS, interval
from autograder.speed.score import Bands

BANDS = Bands({0.25: 4, 0.5: 7, 1.0: 10})
DISTANCES = (0.05, 0.1, 0.2)
TARGET = 0.001
RECORDED = 400
Logs = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Regrading:
    """One race's end against what is known."""

    pairs: int
    decided: bool
    right: bool
    covered: bool


@dataclass(frozen=True)
class Noise:
    """Where regradings come from."""

    races: tuple[Logs, ...]
    block: int
    looks: tuple[int, ...] = LOOKS
    allowance: float = 0.0

    def race(self, rng: np.random.Generator) -> Logs:
        """Logarithms of ratios of a new race at a true ratio of 1."""
        recorded = self.races[rng.integers(len(self.races))]
        starts = rng.integers(len(recorded), size=math.ceil(self.looks[-1] / self.block))
        places = (starts[:, None] + np.arange(self.block)).ravel() % len(recorded)
        drawn: Logs = recorded[places[: self.looks[-1]]]
        return drawn


def recorded_races(path: Path) -> tuple[Logs, ...]:
    """The races in a file as logarithms of reference / student. Raises ValueError."""
    races = []
    for race in json.loads(path.read_text(encoding="utf-8")):
        pairs = np.asarray(race, dtype=float)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or len(pairs) < LOOKS[0]:
            raise ValueError(f"{path}: a race is a list of at least {LOOKS[0]} pairs of seconds")
        if not (np.isfinite(pairs).all() and (pairs > 0).all()):
            raise ValueError(f"{path}: seconds are finite and above 0")
        races.append(np.log(pairs[:, 1] / pairs[:, 0]))
    if not races:
        raise ValueError(f"{path}: holds no race")
    return tuple(races)


def made_up_races(rng: np.random.Generator, races: int = 60) -> tuple[Logs, ...]:
    """Noise of a shared machine: 4 % a pair, a pause of one side in every twentieth pair, bursts of some
    five pairs that slow one side, and half a percent that stays for a whole race."""
    return tuple(made_up_race(rng) for _ in range(races))


def made_up_race(rng: np.random.Generator) -> Logs:
    logs = 0.005 * rng.normal() + 0.04 * rng.normal(size=RECORDED)
    logs += (rng.random(len(logs)) < 0.05) * rng.choice((-1, 1), len(logs)) * rng.exponential(0.5, len(logs))
    for start in np.flatnonzero(rng.random(len(logs)) < 0.01):
        logs[start : start + int(rng.geometric(0.2))] += 0.1 * rng.choice((-1, 1))
    return np.asarray(logs)


def regrade(noise: Noise, ratio: float, rng: np.random.Generator) -> Regrading:
    """A race at a true ratio, to its decision."""
    logs = (noise.race(rng) + math.log(ratio)).tolist()
    for look in noise.looks:
        found = interval(logs[:look], noise.allowance)
        decided = BANDS.settled(found.low, found.high)
        if decided:
            break
    points = BANDS.at(found.middle if decided else found.high)
    return Regrading(look, decided, points == BANDS.at(ratio), found.holds(ratio))


def true_ratio(distance: float, rng: np.random.Generator) -> float:
    """So far below or above one of the thresholds."""
    mark, _ = BANDS.marks[rng.integers(len(BANDS.marks))]
    return mark * (1 + distance) if rng.random() < 0.5 else mark / (1 + distance)


def bounds(hits: int, trials: int, error: float = 0.05) -> tuple[float, float]:
    """The exact interval of a rate, by Clopper and Pearson."""
    return lowest_rate(hits, trials, error / 2), 1 - lowest_rate(trials - hits, trials, error / 2)


def lowest_rate(hits: int, trials: int, error: float) -> float:
    """The rate at which so many hits, or more, come with a chance of ``error``."""
    low, high = 0.0, 1.0 if hits else 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if chance_of_at_least(hits, trials, middle) > error else (middle, high)
    return low


def chance_of_at_least(hits: int, trials: int, rate: float) -> float:
    """Binomial; sums the side of fewer terms."""
    if rate in (0, 1):
        return float(hits == 0 or rate == 1)
    upper = hits > trials / 2
    chance = math.fsum(
        math.exp(
            math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
            + count * math.log(rate) + (trials - count) * math.log1p(-rate)
        )
        for count in (range(hits, trials + 1) if upper else range(hits))
    )  # fmt: skip
    return chance if upper else 1 - chance


def row(distance: float, regradings: Sequence[Regrading]) -> str:
    """One distance's line of the table."""
    other = sum(not each.right for each in regradings)
    missed = sum(not each.right and each.decided for each in regradings)
    undecided = sum(not each.decided for each in regradings)
    covered = sum(each.covered for each in regradings)
    pairs = np.array([each.pairs for each in regradings])
    return (
        f"{distance:>8.0%}  {rate(other, len(regradings))}  {missed:>9}  {undecided:>9}"
        f"  {rate(covered, len(regradings))}  {pairs.mean():>10.1f}  {np.quantile(pairs, 0.95):>5.0f}"
    )


def rate(hits: int, trials: int) -> str:
    low, high = bounds(hits, trials)
    return f"{hits / trials:>9.3%} [{low:>7.3%}, {high:>8.3%}]"


HEADER = (
    f"{'distance':>8}  {'another band than the truth':>29}  {'decided so':>9}  {'undecided':>9}"
    f"  {'interval holds the truth':>29}  {'mean pairs':>10}  {'95 %':>5}"
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Regrades by simulation on recorded noise.")
    parser.add_argument("--samples", type=Path, help="races recorded at a true ratio of 1, as JSON")
    parser.add_argument("--regradings", type=int, default=10_000, help="for each distance")
    parser.add_argument("--block", type=int, default=20, help="pairs that stay together")
    parser.add_argument("--pairs", type=int, default=LOOKS[-1], help="what a race's budget allows")
    parser.add_argument("--allowance", type=float, default=0.0, help="widens each interval, as in a race")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    rng = np.random.default_rng(given.seed)
    try:
        races = recorded_races(given.samples) if given.samples else made_up_races(rng)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    looks = tuple(look for look in LOOKS if look < given.pairs)
    noise = Noise(races, given.block, (*looks, given.pairs), given.allowance)
    medians = np.exp([np.median(race) for race in races])
    print(f"{len(races)} races of {'recorded' if given.samples else 'made-up'} noise", end="; ")
    print(f"their medians lie between {medians.min():.4f} and {medians.max():.4f}")
    print(f"{given.regradings} regradings for each distance from a threshold")
    print(HEADER)
    good = True
    for distance in DISTANCES:
        regraded = [regrade(noise, true_ratio(distance, rng), rng) for _ in range(given.regradings)]
        print(row(distance, regraded), flush=True)
        good = good and bounds(sum(not each.right for each in regraded), len(regraded))[0] <= TARGET
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
