"""The chart of a ratio: the points over it, the pairs' ratios as a ridge, the interval below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.gradebook.charts.shapes import LETTER, WIDTH, Chart, Dot, Label, Look, Path, Place
from autograder.gradebook.charts.words import digits, in_points, mark_in_words, marks_of, notes, sentence
from autograder.judge import RaceKind, RaceResult

SMALLEST, LARGEST = 1e-4, 1e4
MOST_QUANTILES = 200
SIDE = 16.0
TOP, BASE, INTERVAL_Y, AXIS_Y, ROW = 22.0, 74.0, 84.0, 94.0, 15.0
RIDGE, POINTS = BASE - TOP - 8, BASE - TOP
GRID = 72


def draw_ratio(race: RaceResult) -> Chart:
    marks = marks_of(race) or [(1.0, math.nan)]  # the reference's own, worth nothing known
    flags = [_flag(race, ratio, points) for ratio, points in marks]
    axis = _LogAxis.of_race(race, marks, flags)
    places = [axis.place(ratio) for ratio, _ in marks]
    rows = _rows(places, [LETTER * len(flag) for flag in flags])
    height = AXIS_Y + 8 + ROW * (max(rows) + 2) + 4
    counted = race.ratio if race.decided or math.isinf(race.high) else race.high
    low, high = axis.place(race.low), axis.place(race.high, LARGEST)
    middle = axis.place(race.ratio)
    ridge = _ridge(race.samples, axis)
    lines = [Path(Look.AXIS, ((SIDE, AXIS_Y), (WIDTH - SIDE, AXIS_Y)))]
    labels = [_label_of(race, middle)]
    for (ratio, _), x, row, flag in zip(marks, places, rows, flags, strict=True):
        foot = AXIS_Y + 8 + ROW * (row + 1)
        look = Look.REACHED if counted >= ratio else Look.MARK
        lines.append(Path(look, ((x, TOP), (x, foot))))
        labels.append(Label(look, x + 4, foot, flag))
    worse, better = ("more memory", "less") if race.kind is RaceKind.MEMORY else ("slower", "faster")
    return Chart(
        width=WIDTH,
        height=height,
        areas=(*_score(race, marks, axis, counted), *([Path(Look.RIDGE, ridge)] if ridge else [])),
        lines=(*lines, Path(Look.INTERVAL, ((low, INTERVAL_Y), (max(high, low + 1), INTERVAL_Y)))),
        dots=(
            *([] if race.decided or math.isinf(race.high) else [Dot(Look.SAMPLE, high, INTERVAL_Y, 3.0)]),
            Dot(Look.RATIO, middle, INTERVAL_Y, 3.5),
        ),
        labels=(
            *labels,
            Label(Look.QUIET, SIDE, height - 3, f"← {worse}"),
            Label(Look.QUIET, WIDTH - SIDE, height - 3, f"{better} →", "end"),
        ),
        sentence=sentence(race),
        notes=notes(race),
    )


def _flag(race: RaceResult, ratio: float, points: float) -> str:
    at = f"{'≤ ' if race.kind is RaceKind.MEMORY else ''}{mark_in_words(race, ratio)}"
    return f"{at} → {in_points(points)}" if math.isfinite(points) else f"{at}: the reference"


def _label_of(race: RaceResult, x: float) -> Label:
    value = 1 / race.ratio if race.kind is RaceKind.MEMORY and race.ratio else race.ratio
    anchor = "start" if x < 40 else "end" if x > WIDTH - 40 else "middle"
    return Label(Look.RATIO, x, 14.0, f"{digits(value)} ×", anchor)


@dataclass(frozen=True)
class _LogAxis:
    """Ratios from left to right; places are whole units."""

    left: float
    right: float

    @classmethod
    def of_race(
        cls, race: RaceResult, marks: Sequence[tuple[float, float]], flags: Sequence[str]
    ) -> _LogAxis:
        """As wide as what it shows, with room for the words at each mark."""
        shown = [_clip(ratio) for ratio, _ in marks] + [_clip(race.ratio)]
        shown += [value for value in (race.low, race.high) if SMALLEST <= value <= LARGEST]
        ratios = _log_ratios(race.samples)
        if len(ratios):
            shown += [float(np.exp(value)) for value in np.quantile(ratios, (0.05, 0.95))]
        pad = max(0.08 * math.log(max(shown) / min(shown)), math.log(1.08))
        left, right = math.log(min(shown)) - pad, math.log(max(shown)) + pad
        for (ratio, _), flag in zip(marks, flags, strict=True):
            room = max(WIDTH - 8 - LETTER * len(flag) - SIDE, 60.0)
            right = max(right, left + (math.log(_clip(ratio)) - left) * (WIDTH - 2 * SIDE) / room)
        return cls(left, right)

    def place(self, value: float, otherwise: float = 1.0) -> float:
        part = (math.log(_clip(value, otherwise)) - self.left) / (self.right - self.left)
        return round(SIDE + min(max(part, 0.0), 1.0) * (WIDTH - 2 * SIDE))


def _clip(value: float, otherwise: float = 1.0) -> float:
    return min(max(value, SMALLEST), LARGEST) if value == value else otherwise


def _rows(places: Sequence[float], widths: Sequence[float]) -> list[int]:
    """A row for each flag, so that none covers another or the pole of one to its right."""
    rows = [0] * len(places)
    for index in reversed(range(len(places))):
        end = places[index] + widths[index] + 8
        met = [rows[other] for other in range(index + 1, len(places)) if places[other] < end]
        rows[index] = max(met, default=-1) + 1
    return rows


def _score(
    race: RaceResult, marks: Sequence[tuple[float, float]], axis: _LogAxis, counted: float
) -> list[Path]:
    """The points over the ratio: a stair a mark, or the ramp between them."""
    most = max((points for _, points in marks if points > 0), default=0.0)
    if most <= 0:
        return []
    end = WIDTH - SIDE
    corners = [(axis.place(ratio), round(BASE - POINTS * (max(points, 0) / most))) for ratio, points in marks]
    if race.smooth:
        first, last = corners[0], corners[-1]
        ends = (SIDE, BASE), (SIDE, first[1]), *corners, (end, last[1]), (end, BASE)
        return [Path(Look.RAMP, ends)]
    stairs = []
    for (ratio, _), (x, y), (after, _) in zip(marks, corners, [*corners[1:], (end, 0.0)], strict=True):
        look = Look.REACHED if counted >= ratio else Look.STEP
        stairs.append(Path(look, ((x, BASE), (x, y), (after, y), (after, BASE))))
    return stairs


def _log_ratios(samples: Sequence[tuple[float, float]]) -> np.ndarray:
    """log(reference / student) of the pairs that have one."""
    pairs = np.asarray(samples, dtype=float).reshape(-1, 2)
    pairs = pairs[np.all(np.isfinite(pairs) & (pairs > 0), axis=1)]
    logs = np.log(pairs[:, 1]) - np.log(pairs[:, 0])
    return np.asarray(np.clip(logs, math.log(SMALLEST), math.log(LARGEST)))


def _ridge(samples: Sequence[tuple[float, float]], axis: _LogAxis) -> tuple[Place, ...]:
    """How the pairs' ratios lie: a kernel density (Silverman's bandwidth), in whole units."""
    ratios = _log_ratios(samples)
    if len(ratios) < 2:
        return ()
    ratios = np.quantile(ratios, np.linspace(0, 1, min(len(ratios), MOST_QUANTILES)))
    spread = min(float(np.std(ratios)), float(np.subtract(*np.quantile(ratios, (0.75, 0.25)))) / 1.34)
    grid = np.linspace(axis.left, axis.right, GRID + 1)
    width = max(0.9 * spread * len(ratios) ** -0.2, (grid[1] - grid[0]) * 1.8)
    density = np.exp(-0.5 * ((grid[:, None] - ratios[None, :]) / width) ** 2).sum(axis=1)
    if not density.max() > 0:
        return ()
    heights = np.round(RIDGE * density / density.max())
    across = np.round(np.linspace(SIDE, WIDTH - SIDE, GRID + 1))
    kept = np.flatnonzero(heights)
    outline = [(float(across[i]), float(BASE - heights[i])) for i in range(kept[0], kept[-1] + 1)]
    return ((outline[0][0], BASE), *outline, (outline[-1][0], BASE))
