"""Points for measurements: bands and lines as authors write them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest

from autograder.errors import AuthorError
from autograder.speed.score import Bands, Score, Smooth

BANDS: Score = Bands({0.5: 2, 0.8: 4, 1.0: 5})
SMOOTH: Score = Smooth({0.5: 0, 1.0: 5})


@dataclass(frozen=True)
class Found:
    ratio: float
    low: float = 0.0
    high: float = math.inf
    decided: bool = True


@pytest.mark.parametrize(
    ("ratio", "points"), [(0.1, 0), (0.5, 2), (0.79, 2), (0.8, 4), (1.0, 5), (9.0, 5), (math.inf, 5)]
)
def test_bands_give_the_points_of_the_highest_ratio_reached(ratio: float, points: float) -> None:
    assert BANDS.points(Found(ratio)) == points


@pytest.mark.parametrize(
    ("ratio", "points"), [(0.1, 0), (0.5, 0), (math.sqrt(0.5), 2.5), (0.8, 3.39), (1.0, 5), (math.inf, 5)]
)
def test_a_smooth_score_rises_with_the_logarithm(ratio: float, points: float) -> None:
    assert SMOOTH.points(Found(ratio)) == points


@pytest.mark.parametrize("score", [BANDS, SMOOTH])
def test_undecided_the_bound_that_favours_the_student_counts(score: Score) -> None:
    assert score.points(Found(0.7, 0.6, 1.1, decided=False)) == 5
    assert score.points(Found(0.7, 0.6, 1.1, decided=True)) < 5


@pytest.mark.parametrize("score", [BANDS, SMOOTH])
def test_with_too_few_pairs_for_a_bound_the_ratio_counts(score: Score) -> None:
    assert score.points(Found(0.7, decided=False)) == score.points(Found(0.7))


@pytest.mark.parametrize(
    ("low", "high", "settled"),
    [
        (0.0, 0.49, True),
        (0.51, 0.79, True),
        (1.0, math.inf, True),
        (0.8, 0.99, True),
        (0.79, 0.8, False),
        (0.49, 1.2, False),
        (0.0, math.inf, False),
    ],
)
def test_bands_are_settled_on_one_side_of_every_mark(low: float, high: float, settled: bool) -> None:
    assert BANDS.settled(low, high) is settled


@pytest.mark.parametrize(
    ("low", "high", "settled"),
    [
        (0.7, 0.7 * 2**0.0499, True),
        (0.7, 0.7 * 2**0.0501, False),
        (0.1, 0.5, True),
        (1.0, math.inf, True),
        (0.0, math.inf, False),
    ],
)
def test_a_line_is_settled_at_a_twentieth_of_its_points(low: float, high: float, settled: bool) -> None:
    assert SMOOTH.settled(low, high) is settled


def test_a_bonus_is_a_mark_above_the_reference_and_the_highest_mark_is_the_cap() -> None:
    score = Smooth({1.0: 5, 2.0: 7})
    assert [score.at(ratio) for ratio in (0.2, 1, math.sqrt(2), 2, 50)] == [5, 5, 6, 7, 7]
    assert Bands({1: 5, 2: 6}).at(50) == 6


def test_marks_are_in_order_whatever_the_order_they_are_written_in() -> None:
    assert Bands({1.0: 5, 0.5: 2}).marks == ((0.5, 2), (1.0, 5))
    assert Smooth({1.0: 5, 0.5: 0}).at(0.75) == SMOOTH.points(Found(0.75))
    assert (BANDS.smooth, SMOOTH.smooth) == (False, True)


@pytest.mark.parametrize("kind", [Bands, Smooth])
@pytest.mark.parametrize(
    "table",
    [
        {},
        {0.0: 1, 1.0: 2},
        {-1.0: 1, 1.0: 2},
        {0.5: 4, 0.8: 2},
        {0.5: 4, 0.8: 4},
        {0.5: -1, 1.0: 2},
        {math.nan: 1, 1.0: 2},
        {0.5: 1, math.inf: 2},
        {0.5: "many", 1.0: 2},
        {0.5: 0, 1.0: True},
        [0.5, 1.0],
        None,
    ],
)
def test_what_is_not_a_rising_table_is_the_authors_error(kind: type[Bands], table: Any) -> None:
    with pytest.raises(AuthorError, match=r"race: (bands|smooth)=\{ratio: points\}"):
        kind(table)


@pytest.mark.parametrize("table", [{1.0: 5}, {0.5: 0, 0.8: 3, 1.0: 5}])
def test_a_line_has_two_ends(table: dict[float, float]) -> None:
    with pytest.raises(AuthorError, match="two entries"):
        Smooth(table)
