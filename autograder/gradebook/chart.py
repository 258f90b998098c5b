"""A race as a small chart: the ratio's interval against the thresholds, on a logarithmic axis.

Contract: pure geometry in the units of the chart's own 0–320 × 0–64 box; the template draws it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.judge import RaceResult

WIDTH = 320.0
MARGIN = 24.0
SMALLEST, LARGEST = 1e-3, 1e3


@dataclass(frozen=True)
class Tick:
    """A threshold: where it is, what it says, whether the interval is past it."""

    x: float
    label: str
    reached: bool


@dataclass(frozen=True)
class Chart:
    """What the template draws: the interval from ``low`` to ``high``, the ratio, the thresholds."""

    low: float
    high: float
    ratio: float
    ticks: tuple[Tick, ...]
    sentence: str


def draw(race: RaceResult, thresholds: Sequence[float]) -> Chart:
    """The chart of a race; without thresholds the reference's own speed, 1, is the mark."""
    marks = sorted(set(thresholds)) or [1.0]
    shown = [_clip(value) for value in (race.low, race.high, race.ratio, *marks)]
    left, right = math.log(min(shown) / 1.25), math.log(max(shown) * 1.25)

    def place(value: float) -> float:
        span = (math.log(_clip(value)) - left) / (right - left)
        return round(MARGIN + span * (WIDTH - 2 * MARGIN), 1)

    return Chart(
        low=place(race.low),
        high=max(place(race.high), place(race.low) + 2),
        ratio=place(race.ratio),
        ticks=tuple(Tick(place(mark), f"{mark:g}", race.high >= mark) for mark in marks),
        sentence=_sentence(race, marks),
    )


def thresholds_in(source: str) -> tuple[float, ...]:
    """The thresholds of the ``race(…, bands={…})`` call in a check's source, if it has one."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "race":
            for keyword in node.keywords:
                if keyword.arg == "bands" and isinstance(keyword.value, ast.Dict):
                    return tuple(_numbers(keyword.value))
    return ()


def _numbers(bands: ast.Dict) -> list[float]:
    keys = [key.value for key in bands.keys if isinstance(key, ast.Constant)]
    return [float(key) for key in keys if isinstance(key, int | float) and key > 0]


def _clip(value: float) -> float:
    return min(max(value, SMALLEST), LARGEST) if value == value else 1.0


def _sentence(race: RaceResult, marks: Sequence[float]) -> str:
    against = ", ".join(f"{mark:g}" for mark in marks)
    sure = "" if race.decided else " Time ran out before it was certain; the doubt is in your favour."
    return (
        f"Your code runs at {race.ratio:.3g} times the reference's speed (between {race.low:.3g} and "
        f"{race.high:.3g}, from {race.pairs} pairs of runs; thresholds {against}).{sure}"
    )
