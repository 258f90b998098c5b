"""For your own notebook: race your function against a baseline and see how sure the result is.

    from autograder.student import race

    race(my_matmul, baseline_matmul, lambda rng: (rng.random((64, 64)), rng.random((64, 64))))

The last line of a cell shows the result as a sentence and a small plot. The grader measures in the same
way (pairs of runs on the same fresh inputs, in random order, until an interval is sure), only that it
keeps the two functions in boxes of their own and holds the clock outside them. Your grade comes from
there; numbers here tell you whether a change was worth it.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from autograder.speed.interval import LOOKS, interval
from autograder.speed.score import Bands

BATCH_SECONDS = 0.002
MAX_BATCH = 64
SHORTEST_SECONDS = 1e-9
WIDTH, HEIGHT, MARGIN = 440, 112, 30
GOLDEN = 0.618

Inputs = tuple[Any, ...]


@dataclass(frozen=True)
class Race:
    """What a race found. ``ratio`` is the baseline's time over yours: 2 means twice as fast.

    ``low`` and ``high`` bound it: of a thousand such races, one misses. ``samples`` are seconds a call, a
    pair of (yours, the baseline's) a row. ``difference`` says where outputs differ; empty where they agree.
    """

    ratio: float
    low: float
    high: float
    samples: tuple[tuple[float, float], ...]
    difference: str = ""
    bands: Bands | None = None

    @property
    def pairs(self) -> int:
        return len(self.samples)

    @property
    def decided(self) -> bool:
        """Whether more pairs would change nothing: the bands, or else the question of who is faster."""
        if self.bands is not None:
            return self.bands.settled(self.low, self.high)
        return not self.low <= 1 <= self.high

    def __str__(self) -> str:
        warning = f"{self.difference} " if self.difference else ""
        pairs = f"{self.pairs} pair{'s' if self.pairs > 1 else ''}"
        if math.isinf(self.high):
            bounds = f"{pairs}, too few for an interval: allow more seconds"
        else:
            bounds = f"99.9 % interval {self.low:.3g} to {self.high:.3g}, {pairs}"
        return f"{warning}{self.ratio:.3g} times the baseline's speed ({bounds}): {self.conclusion()}."

    __repr__ = __str__

    def conclusion(self) -> str:
        """What follows, in a few words."""
        if self.bands is not None:
            least, most = self.bands.at(self.low), self.bands.at(self.high)
            return f"{least:g} points" if self.decided else f"undecided, {least:g} to {most:g} points"
        if not self.decided:
            return "undecided who is faster"
        return "faster than the baseline" if self.low > 1 else "slower than the baseline"

    def _repr_html_(self) -> str:
        return f'<div style="max-width:{WIDTH}px"><div>{escape(str(self))}</div>{self._repr_svg_()}</div>'

    def _repr_svg_(self) -> str:
        return plot(self)


def race(
    mine: Callable[..., Any],
    baseline: Callable[..., Any],
    make_inputs: Callable[[np.random.Generator], Inputs],
    *,
    bands: Mapping[float, float] | None = None,
    seconds: float = 2.0,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    rng: np.random.Generator | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Race:
    """Races ``mine`` against ``baseline`` for about ``seconds``.

    ``make_inputs(rng)`` returns a fresh tuple of arguments, ``(x,)`` for one; draw them from ``rng``, a
    numpy Generator, and don't return the same ones twice, or you measure your cache. Both functions get
    their own copies. ``bands={ratio: points}``, where your assignment has them, are drawn as marks.
    Outputs are compared with ``np.allclose`` at ``rtol`` and ``atol``: a fast wrong answer earns nothing.

    Give it more seconds, or close what else runs on your machine, where the interval is too wide to tell.
    """
    scored = None if bands is None else Bands(bands)
    track = Track((mine, baseline), make_inputs, (rtol, atol), rng or np.random.default_rng(), clock)
    start = clock()
    batch = track.warm_up()
    samples: list[tuple[float, float]] = []
    while not samples or (clock() - start <= seconds and len(samples) < LOOKS[-1]):
        samples.append(track.pair(batch))
    found = interval([math.log(theirs / ours) for ours, theirs in samples])
    return Race(found.middle, found.low, found.high, tuple(samples), track.difference, scored)


class Track:
    """The two functions and what they're fed."""

    def __init__(
        self,
        functions: tuple[Callable[..., Any], Callable[..., Any]],
        make_inputs: Callable[[np.random.Generator], Inputs],
        tolerance: tuple[float, float],
        rng: np.random.Generator,
        clock: Callable[[], float],
    ) -> None:
        self.functions = functions
        self.make_inputs = make_inputs
        self.tolerance = tolerance
        self.rng = rng
        self.clock = clock
        self.difference = ""

    def warm_up(self) -> int:
        """Runs both twice; returns how many calls make a timed region long enough."""
        self.pair(1)
        return max(1, min(MAX_BATCH, math.ceil(BATCH_SECONDS / min(self.pair(1)))))

    def pair(self, batch: int) -> tuple[float, float]:
        """Seconds a call of (mine, baseline) on the same fresh inputs."""
        inputs = [self.fresh() for _ in range(batch)]
        placed = [copy.deepcopy(inputs), copy.deepcopy(inputs)]
        outputs: list[list[Any]] = [[], []]
        seconds = [0.0, 0.0]
        for side in self.rng.permutation(2):
            function, arguments = self.functions[side], placed[side]
            begin = self.clock()
            outputs[side] = [function(*each) for each in arguments]
            seconds[side] = max(self.clock() - begin, SHORTEST_SECONDS) / batch
        for mine, right in zip(*outputs, strict=True):
            self.difference = self.difference or difference(mine, right, *self.tolerance)
        return seconds[0], seconds[1]

    def fresh(self) -> Inputs:
        inputs = self.make_inputs(self.rng)
        if not isinstance(inputs, tuple):
            raise TypeError("make_inputs(rng) returns a tuple of arguments, such as (x,) for one")
        return inputs


def difference(mine: Any, right: Any, rtol: float, atol: float) -> str:
    """How an output differs from the baseline's, as a sentence; empty where it doesn't."""
    if isinstance(right, list | tuple) and isinstance(mine, list | tuple) and len(mine) == len(right):
        found = (difference(a, b, rtol, atol) for a, b in zip(mine, right, strict=True))
        return next((each for each in found if each), "")
    try:
        ours, theirs = array(mine), array(right)
        if ours.shape != theirs.shape:
            return f"Outputs differ: yours has shape {ours.shape}, the baseline's {theirs.shape}."
        if np.allclose(ours, theirs, rtol=rtol, atol=atol):
            return ""
        with np.errstate(invalid="ignore", over="ignore"):
            largest = np.max(np.abs(ours * 1.0 - theirs * 1.0))
        return f"Outputs differ by up to {largest:.3g}."
    except (TypeError, ValueError):
        return f"Outputs can't be compared: {type(mine).__name__} and {type(right).__name__} hold no numbers."


def array(output: Any) -> np.ndarray[Any, Any]:
    """An output as numbers; a torch tensor may still hang on a tape."""
    detach = getattr(output, "detach", None)
    return np.asarray(output if detach is None else detach())


# -- the plot ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis over the width of the plot."""

    first: float
    last: float

    def place(self, ratio: float) -> float:
        """Where a ratio is drawn; beyond the axis, at its end."""
        log = math.log(min(max(ratio, self.first), self.last))
        part = (log - math.log(self.first)) / math.log(self.last / self.first)
        return round(MARGIN + part * (WIDTH - 2 * MARGIN), 1)


def plot(shown: Race) -> str:
    """The pairs' ratios as dots, the interval as a bar below, the marks as lines."""
    ratios = [theirs / ours for ours, theirs in shown.samples]
    marks = [1.0] if shown.bands is None else [ratio for ratio, _ in shown.bands.marks]
    axis = around([*marks, shown.ratio, *middle_of(ratios), *bounds_of(shown)])
    dots = "".join(
        f'<circle cx="{axis.place(ratio)}" cy="{round(14 + 46 * (place * GOLDEN % 1), 1)}" r="2.5"/>'
        for place, ratio in enumerate(ratios)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' height="{HEIGHT}" role="img" aria-label="{escape(str(shown))}"'
        ' font-family="sans-serif" font-size="11" fill="currentColor" stroke="none">'
        + "".join(mark_line(axis, mark) for mark in marks)
        + f'<g fill="#3778b7" fill-opacity="0.45">{dots}</g>'
        + interval_bar(axis, shown)
        + "</svg>"
    )


def around(ratios: Sequence[float]) -> Axis:
    """An axis that holds all these with some room."""
    return Axis(min(ratios) / 1.08, max(ratios) * 1.08)


def middle_of(ratios: Sequence[float]) -> list[float]:
    """The range without the few pairs that something else disturbed."""
    return [float(each) for each in np.quantile(ratios, (0.05, 0.95))]


def bounds_of(shown: Race) -> list[float]:
    return [] if math.isinf(shown.high) else [shown.low, shown.high]


def mark_line(axis: Axis, ratio: float) -> str:
    x = axis.place(ratio)
    return (
        f'<line x1="{x}" x2="{x}" y1="6" y2="92" stroke="currentColor" stroke-dasharray="3 3"/>'
        f'<text x="{x}" y="106" text-anchor="middle">{ratio:g}</text>'
    )


def interval_bar(axis: Axis, shown: Race) -> str:
    x = axis.place(shown.ratio)
    bar = ""
    if not math.isinf(shown.high):
        low, high = axis.place(shown.low), axis.place(shown.high)
        bar = f'<rect x="{low}" y="74" width="{max(2.0, round(high - low, 1))}" height="8" fill="#b3541e"/>'
    return bar + f'<line x1="{x}" x2="{x}" y1="69" y2="87" stroke="currentColor" stroke-width="2"/>'
