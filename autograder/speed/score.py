"""From a race's measurement to points: what an assignment's author writes, as bands or as a line.

Contract: a score says which points a measurement earns and when more pairs could change them no more.
The ratio is reference / student, of seconds or of bytes. A mark above ratio 1 is a bonus for doing better
than the reference; the highest mark is the cap. What more pairs could still change goes to the student.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Protocol

from autograder.errors import AuthorError

TOLERANCE = 0.05  # less than a race can promise: handing over alone may hide a hundredth of the ratio
Marks = tuple[tuple[float, float], ...]


class Measured(Protocol):
    """A ratio with bounds; ``decided`` where the score was settled."""

    @property
    def ratio(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def decided(self) -> bool: ...


class Score(Protocol):
    """What a race is run for."""

    @property
    def smooth(self) -> bool:
        """Whether points change between the marks."""

    @property
    def marks(self) -> Marks:
        """(ratio, points), rising."""

    def settled(self, low: float, high: float) -> bool:
        """The race asks at each look: whether the points are known well enough at these bounds."""

    def points(self, measured: Measured) -> float:
        """The points earned, asked once the race has ended."""


class Bands:
    """``Bands({0.5: 2, 0.8: 4, 1.0: 5})``: the points of the highest ratio reached; none below the lowest.

    Raises AuthorError.
    """

    smooth = False

    def __init__(self, bands: Mapping[float, float]) -> None:
        self.marks = rising(bands, "bands={ratio: points}", "{0.5: 2, 0.8: 4, 1.0: 5}")

    def settled(self, low: float, high: float) -> bool:
        """Whether both bounds are on the same side of every mark."""
        return self.at(low) == self.at(high)

    def points(self, measured: Measured) -> float:
        """Decided, the ratio counts; else the bound that favours the student."""
        return self.at(measured.ratio if measured.decided else favoured(measured))

    def at(self, ratio: float) -> float:
        """The points at a ratio that is known."""
        return max((points for mark, points in self.marks if ratio >= mark), default=0.0)


class Smooth:
    """``Smooth({0.5: 0, 1.0: 5})``: points rise with the ratio's logarithm from the first mark to the
    second, and stay as they are beyond them.

    Raises AuthorError.
    """

    smooth = True

    def __init__(self, ends: Mapping[float, float]) -> None:
        self.marks = rising(ends, "smooth={ratio: points}", "{0.5: 0, 1.0: 5}")
        if len(self.marks) != 2:
            raise AuthorError(
                f"race: smooth={{ratio: points}} has two entries, where points begin to rise and where "
                f"they end, not {len(self.marks)}; for several steps write bands={{…}}"
            )

    def settled(self, low: float, high: float) -> bool:
        """Whether the bounds' points differ by at most TOLERANCE of all that can be earned here."""
        (_, least), (_, most) = self.marks
        return self.exactly(high) - self.exactly(low) <= TOLERANCE * (most - least)

    def points(self, measured: Measured) -> float:
        """Decided, the ratio counts; else the bound that favours the student."""
        return self.at(measured.ratio if measured.decided else favoured(measured))

    def at(self, ratio: float) -> float:
        """The points at a ratio that is known, to a hundredth."""
        return round(self.exactly(ratio), 2)

    def exactly(self, ratio: float) -> float:
        """The points at a ratio, not rounded."""
        (first, least), (last, most) = self.marks
        if ratio <= first:
            return least
        if ratio >= last:
            return most
        return least + (most - least) * math.log(ratio / first) / math.log(last / first)


def favoured(measured: Measured) -> float:
    """The bound that favours the student; with too few pairs for a bound, the ratio itself."""
    return measured.ratio if math.isinf(measured.high) else measured.high


def rising(table: Mapping[float, float], name: str, example: str) -> Marks:
    """An author's {ratio: points} in order. Raises AuthorError where it isn't one that rises."""
    if not isinstance(table, Mapping) or not table:
        raise AuthorError(f"race: {name} needs at least one entry, such as {example}")
    for number in [part for entry in table.items() for part in entry]:
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise AuthorError(f"race: {name} holds finite numbers, such as {example}, not {number!r}")
    marks = tuple(sorted((float(ratio), float(points)) for ratio, points in table.items()))
    if marks[0][0] <= 0 or min(points for _, points in marks) < 0:
        raise AuthorError(f"race: {name} needs ratios above 0, and points that aren't negative")
    for (_, less), (ratio, more) in itertools.pairwise(marks):
        if more <= less:
            raise AuthorError(f"race: {name} needs points that rise with the ratio; at {ratio:g} they don't")
    return marks
