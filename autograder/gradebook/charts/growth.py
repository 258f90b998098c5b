"""The chart of a growth: seconds over size, both logarithmic, with the fitted and the allowed exponents."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from autograder.gradebook.charts.shapes import WIDTH, Chart, Dot, Label, Look, Path, Place
from autograder.gradebook.charts.words import exponent, in_points, marks_of, notes, sentence
from autograder.judge import RaceResult

LEFT, RIGHT, CEILING, FLOOR, HEIGHT = 48.0, WIDTH - 108.0, 12.0, 152.0, 190.0
LINE = 13.0  # from one line of words to the next
STEEPEST = 10.0
LARGEST = 1e12
MOST_SIZES = 24
MOST_TICKS = 4

At = Callable[[float, float], Place]


def draw_growth(race: RaceResult) -> Chart:
    cloud = _medians(race.samples)
    across = _span([x for x, *_ in cloud] or [0.0, math.log(100)])
    anchor = (across[0], _fitted(race, cloud, across[0]))
    marks = marks_of(race)
    slopes = [_slope(ratio) for ratio, _ in marks]
    fit, low, high = _slope(race.ratio), _slope(race.low, 0), _slope(race.high, STEEPEST)
    width = across[1] - across[0]
    ends = [anchor[1] + slope * width for slope in (fit, *slopes)]
    up = _span([anchor[1], *ends, *(y for _, y, _, _ in cloud)])

    def at(x: float, y: float) -> Place:
        part = min(max((y - up[0]) / (up[1] - up[0]), 0.0), 1.0)
        return (
            round(LEFT + (x - across[0]) / width * (RIGHT - LEFT)),
            round(FLOOR - part * (FLOOR - CEILING)),
        )

    def line(look: Look, slope: float) -> Path:
        """From the anchor to where it leaves the box."""
        rise = slope * width
        room = up[1] - anchor[1] if rise > 0 else anchor[1] - up[0]
        part = min(1.0, room / abs(rise)) if abs(rise) > 1e-9 else 1.0
        return Path(look, (at(*anchor), at(across[0] + part * width, anchor[1] + part * rise)))

    wedge = (at(*anchor), line(Look.FIT, high).places[1], at(across[1], min(anchor[1] + high * width, up[1])))
    named = [(line(Look.FIT, fit), f"n^{exponent(race.ratio)}: yours", Look.FIT)]
    for (ratio, points), slope in zip(marks, slopes, strict=True):
        words = f"n^{ratio:.3g} → {in_points(points)}"
        named.append((line(Look.ALLOWED, slope), words, Look.ALLOWED))
    whiskers = [Path(Look.SPREAD, (at(x, least), at(x, most))) for x, _, least, most in cloud]
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        areas=(Path(Look.SPREAD, (*wedge, line(Look.FIT, low).places[1])),),
        lines=(
            Path(Look.AXIS, ((LEFT, CEILING), (LEFT, FLOOR), (RIGHT, FLOOR))),
            *whiskers,
            *(path for path, _, _ in reversed(named)),
        ),
        dots=tuple(Dot(Look.SAMPLE, *at(x, y), 3.0) for x, y, _, _ in cloud),
        labels=(*_beside(named), *(_ticks(across, up, at) if cloud else ())),
        sentence=sentence(race),
        notes=notes(race),
    )


def _medians(samples: Sequence[tuple[float, float]]) -> list[tuple[float, float, float, float]]:
    """(log size, median, lower and upper quartile of log seconds), for a few sizes at most."""
    points = np.asarray(samples, dtype=float).reshape(-1, 2)
    points = np.log(points[np.all((points > 1 / LARGEST) & (points < LARGEST), axis=1)])
    if not len(points):
        return []
    sizes = np.unique(points[:, 0])
    if len(sizes) > MOST_SIZES:
        edges = np.linspace(sizes[0], sizes[-1], MOST_SIZES + 1)[1:-1]
        groups = np.digitize(points[:, 0], edges)
    else:
        groups = np.searchsorted(sizes, points[:, 0])
    found = []
    for group in np.unique(groups):
        own = points[groups == group]
        low, middle, high = (float(value) for value in np.quantile(own[:, 1], (0.25, 0.5, 0.75)))
        found.append((float(np.median(own[:, 0])), middle, low, high))
    return found


def _fitted(race: RaceResult, cloud: Sequence[tuple[float, ...]], x: float) -> float:
    """Where the line of the race's exponent through the middle of the cloud is at ``x``."""
    if not cloud:
        return 0.0
    middle_x, middle_y = (float(np.mean([each[axis] for each in cloud])) for axis in (0, 1))
    return middle_y - _slope(race.ratio) * (middle_x - x)


def _slope(exponent: float, otherwise: float = 0.0) -> float:
    return min(max(exponent, -STEEPEST), STEEPEST) if exponent == exponent else otherwise


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = max(0.04 * (high - low), 0.5 * (high - low < 0.5))
    return low - pad, high + pad


def _beside(named: Sequence[tuple[Path, str, Look]]) -> list[Label]:
    """Words at the right end of each line, one under the other, as near to it as the others leave room."""
    ordered = sorted(named, key=lambda each: each[0].places[1][1])
    line = min(LINE, (FLOOR - CEILING) / max(len(ordered) - 1, 1))
    heights = [path.places[1][1] + 4 for path, _, _ in ordered]
    for below in range(1, len(heights)):
        heights[below] = max(heights[below], heights[below - 1] + line)
    lowest = FLOOR + 4
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], lowest)
        lowest = heights[place] - line
    return [Label(look, RIGHT + 6, y, words) for y, (_, words, look) in zip(heights, ordered, strict=True)]


def _ticks(across: Place, up: Place, at: At) -> list[Label]:
    found = [
        Label(Look.QUIET, at(x, up[0])[0], FLOOR + 15, _count(x), "middle") for x in _round_numbers(across)
    ]
    found += [
        Label(Look.QUIET, LEFT - 5, at(across[0], y)[1] + 4, _seconds(y), "end") for y in _round_numbers(up)
    ]
    return [*found, Label(Look.QUIET, (LEFT + RIGHT) / 2, HEIGHT - 4, "time over size n", "middle")]


def _round_numbers(span: Place) -> list[float]:
    """Logarithms of a few powers of ten in the span, or of 1, 2, 5 times one."""
    first, last = math.floor(span[0] / math.log(10)), math.ceil(span[1] / math.log(10))
    step = 1 + (last - first) // (MOST_TICKS + 1)
    tens = [power * math.log(10) for power in range(first, last + 1, step)]
    inside = [value for value in tens if span[0] <= value <= span[1]]
    if len(inside) >= 2:
        return inside
    finer = [value + math.log(part) for value in tens for part in (1, 2, 5)]
    return [value for value in finer if span[0] <= value <= span[1]][: MOST_TICKS + 1]


def _count(log: float) -> str:
    value = math.exp(log)
    return f"{value:,.0f}" if 0.9 < value < 999_999 else f"{value:.0e}"


def _seconds(log: float) -> str:
    value = math.exp(log)
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= 0.999 * unit:
            return f"{value / unit:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"
