"""A race in words, for the student.

Contract: numbers have two or three digits, as coarse as the chart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from autograder.judge import NOTABLE_OVERHEAD, RaceKind, RaceResult

CONFIDENCE = "99.9 %"
MOST_MARKS = 8
UNDECIDED = " Time ran out before it was certain, so the bound in your favour counted."
UNBOUNDED = " Time ran out before it was certain."


def sentence(race: RaceResult) -> str:
    """What was measured, how sure that is, and what it is worth."""
    told = SENTENCES[race.kind](race)
    if race.decided:
        return told
    favoured = race.low if race.kind is RaceKind.GROWTH else race.high
    return told + (UNDECIDED if math.isfinite(favoured) else UNBOUNDED)


def notes(race: RaceResult) -> tuple[str, ...]:
    """What isn't graded, where it is known: instructions, and a notable part of handing over."""
    told = []
    if race.instructions is not None:
        mine, right = race.instructions
        times = mine / right if right else math.nan
        if 0 < times < math.inf:
            told.append(
                f"It retires {digits(times)} times the reference's instructions: a second, steadier figure, "
                "which isn't graded."
            )
    if NOTABLE_OVERHEAD < race.overhead < math.inf:
        told.append(
            f"{digits(100 * race.overhead)} % of the reference's turns went into handing over arguments and "
            "results, which isn't counted."
        )
    return tuple(told)


def marks_of(race: RaceResult) -> list[tuple[float, float]]:
    """The marks that can be shown, rising."""
    good = {ratio: points for ratio, points in race.marks if 0 < ratio < math.inf and math.isfinite(points)}
    return sorted(good.items())[:MOST_MARKS]


def digits(value: float) -> str:
    """Two digits that count, three after a leading 1: 0.034, 0.82, 1.04, 2.3, 170."""
    if not math.isfinite(value):
        return "?" if value != value else "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.1e}"
    power = math.floor(math.log10(abs(value)))
    places = 1 - power + (abs(value) < 2 * 10**power)
    return f"{round(value, places):.{max(0, places)}f}"


def size(count: float) -> str:
    """Bytes for people, two or three digits: 24 MB."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if count >= unit:
            return f"{digits(count / unit)} {name}"
    return f"{digits(count)} bytes"


def exponent(value: float) -> str:
    """1.07"""
    return f"{value:.2f}" if abs(value) < 100 else digits(value)


def in_points(points: float) -> str:
    """1 point, 2.5 points."""
    return f"{points:g} point{'' if points == 1 else 's'}"


def mark_in_words(race: RaceResult, ratio: float) -> str:
    """A mark as the student knows it: a share of the reference's speed, or times its memory."""
    return f"{1 / ratio:.3g} times" if race.kind is RaceKind.MEMORY else f"{ratio:.3g}"


def _speed(race: RaceResult) -> str:
    interval = _interval(race.low, race.high, digits)
    return (
        f"Your code runs at {digits(race.ratio)} times the reference's speed "
        f"({interval}, {_plural(race.pairs, 'pair')}).{_worth(race)}"
    )


def _memory(race: RaceResult) -> str:
    interval = _interval(_inverse(race.high), _inverse(race.low), digits)
    return (
        f"Your call needs {digits(_inverse(race.ratio))} times the reference's extra memory "
        f"({_peaks(race.samples)}{interval}, {_plural(race.pairs, 'pair')}).{_worth(race)}"
    )


def _growth(race: RaceResult) -> str:
    interval = _interval(race.low, race.high, exponent, -math.inf)
    allowed = [f"n^{ratio:.3g} for {in_points(points)}" for ratio, points in marks_of(race)]
    told = f", allowed {', '.join(allowed)}" if allowed else ""
    return f"Time grows like n^{exponent(race.ratio)} ({interval}, {_plural(race.pairs, 'run')}){told}."


SENTENCES = {RaceKind.SPEED: _speed, RaceKind.MEMORY: _memory, RaceKind.GROWTH: _growth}


def _interval(low: float, high: float, shown: Callable[[float], str], least: float = 0.0) -> str:
    if not least < low <= high < math.inf:
        return "too few for an interval"
    return f"{CONFIDENCE} interval {shown(low)} to {shown(high)}"


def _worth(race: RaceResult) -> str:
    """What each mark is worth."""
    marks = [(mark_in_words(race, ratio), points) for ratio, points in marks_of(race)]
    if not marks:
        return ""
    if race.smooth:
        (first, least), (last, most) = marks[0], marks[-1]
        return f" Points rise from {least:g} at {first} to {most:g} at {last}."
    word = "up to" if race.kind is RaceKind.MEMORY else "from"
    return f" {', '.join(f'{in_points(points)} {word} {at}' for at, points in marks)}."


def _peaks(samples: Sequence[tuple[float, float]]) -> str:
    if not samples:
        return ""
    # Whatever a stored result holds: a median of two adds them.
    with np.errstate(over="ignore", invalid="ignore"):
        mine, right = np.median(np.asarray(samples, dtype=float).reshape(-1, 2), axis=0)
    return f"peak {size(float(mine))} against {size(float(right))}; "


def _inverse(value: float) -> float:
    return 1 / value if value else math.inf


def _plural(count: int, one: str) -> str:
    return f"{count} {one}{'' if count == 1 else 's'}"
