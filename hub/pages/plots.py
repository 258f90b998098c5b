"""Plots as geometry: bars and dots in a box of their own units, which the templates draw as SVG.

Contract: pure. Every plot has a sentence that says what it shows; the numbers behind it stand in a
table beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WIDTH, HEIGHT = 320.0, 120.0
LEFT, BOTTOM, TOP, RIGHT = 40.0, 22.0, 12.0, 8.0
BINS = 10
MEGABYTE = 1 << 20
SMALLEST = 1e-6


@dataclass(frozen=True)
class Bar:
    """How many lie between ``low`` and ``high``, and where the bar is."""

    low: float
    high: float
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """Scores in tenths of the most points. The last bar includes the most."""

    bars: tuple[Bar, ...]
    tallest: int
    sentence: str


@dataclass(frozen=True)
class Dot:
    """One student's attempt; ``good``: it has full points."""

    x: float
    y: float
    good: bool
    label: str


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    place: float
    label: str


@dataclass(frozen=True)
class Scatter:
    """Seconds to the right, megabytes upwards."""

    dots: tuple[Dot, ...]
    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]
    sentence: str


@dataclass(frozen=True)
class Spread:
    """Smallest, median, nine tenths, largest."""

    name: str
    unit: str
    least: float
    half: float
    most_of_all: float
    most: float


def histogram(scores: Sequence[float], most: float) -> Histogram:
    """``scores``: points as a part of ``most``, each from 0 to 1 (more, with extra credit, counts as 1)."""
    counts = [0] * BINS
    for score in scores:
        counts[min(BINS - 1, max(0, int(score * BINS + 1e-9)))] += 1
    tallest = max(counts)
    step = (WIDTH - LEFT - RIGHT) / BINS
    tall = HEIGHT - TOP - BOTTOM
    bars = []
    for place, count in enumerate(counts):
        height = round(tall * count / tallest, 1) if tallest else 0.0
        bars.append(
            Bar(
                low=most * place / BINS,
                high=most * (place + 1) / BINS,
                count=count,
                x=round(LEFT + step * place + 1, 1),
                y=round(HEIGHT - BOTTOM - height, 1),
                width=round(step - 2, 1),
                height=height,
            )
        )
    return Histogram(tuple(bars), tallest, _told(scores, most))


def scatter(costs: Sequence[tuple[str, float, int, bool]]) -> Scatter:
    """``costs``: (label, seconds, bytes, whether it has full points)."""
    seconds = [each[1] for each in costs]
    megabytes = [each[2] / MEGABYTE for each in costs]
    across, upwards = ticks(max(seconds, default=1.0)), ticks(max(megabytes, default=1.0))
    dots = tuple(
        Dot(
            x=_across(second, across[-1]),
            y=_upwards(megabyte, upwards[-1]),
            good=good,
            label=f"{label}: {second:.3g} s, {megabyte:.0f} MB",
        )
        for (label, second, _, good), megabyte in zip(costs, megabytes, strict=True)
    )
    return Scatter(
        dots=dots,
        across=tuple(Tick(_across(value, across[-1]), f"{value:g}") for value in across),
        upwards=tuple(Tick(_upwards(value, upwards[-1]), f"{value:g}") for value in upwards),
        sentence=(
            f"Time and memory of {len(costs)} submissions: half take at most {median(seconds):.2g} s and "
            f"{median(megabytes):.0f} MB, the most are {max(seconds):.2g} s and {max(megabytes):.0f} MB."
            if costs
            else "Nothing was judged yet."
        ),
    )


def spread(name: str, unit: str, values: Sequence[float]) -> Spread | None:
    """What a table says of many measurements; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    tenth = ordered[math.ceil(0.9 * len(ordered)) - 1]
    return Spread(name, unit, ordered[0], median(ordered), tenth, ordered[-1])


def ticks(most: float) -> tuple[float, ...]:
    """From 0 to a round number that is not below ``most``, in at most five steps."""
    most = most if math.isfinite(most) and most > SMALLEST else 1.0
    power = 10.0 ** math.floor(math.log10(most / 4))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10, 20) if factor * power * 5 >= most)
    return tuple(round(step * number, 12) for number in range(math.ceil(most / step - 1e-9) + 1))


def _across(value: float, most: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, value / most), 1)


def _upwards(value: float, most: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(1.0, value / most), 1)


def _told(scores: Sequence[float], most: float) -> str:
    if not scores:
        return "No grades yet."
    full = sum(score >= 1 for score in scores)
    return (
        f"{len(scores)} grades, from {min(scores) * most:.4g} to {max(scores) * most:.4g} of {most:.4g} "
        f"points; the median is {median(scores) * most:.4g}, {full} have all points."
    )
