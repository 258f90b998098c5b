"""From a race's measurement to points: bands written in the assignment."""

from __future__ import annotations

import math
from collections.abc import Mapping

from autograder.errors import AuthorError
from autograder.speed.race import Measurement


def check_bands(bands: Mapping[float, float]) -> None:
    """Bands map a ratio (reference / student seconds) to points; both rise together.

    Raises AuthorError.
    """
    if not bands:
        raise AuthorError("race: bands={ratio: points} needs at least one band")
    ordered = sorted(bands.items())
    for number in [part for band in ordered for part in band]:
        if not isinstance(number, int | float) or not math.isfinite(number) or number < 0:
            raise AuthorError(f"race: bands hold non-negative numbers, not {number!r}")
    if ordered[0][0] <= 0 or [points for _, points in ordered] != sorted(bands.values()):
        raise AuthorError("race: bands need positive ratios, and points that rise with them")


def band_points(measured: Measurement, bands: Mapping[float, float]) -> float:
    """The points of the highest band reached. Undecided, the bound that favours the student counts."""
    reached = measured.ratio if measured.decided or math.isinf(measured.high) else measured.high
    return max((points for ratio, points in bands.items() if reached >= ratio), default=0.0)
