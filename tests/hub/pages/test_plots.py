"""Plots keep their dots and bars in the box, and say in words what they show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.pages.plots import HEIGHT, WIDTH, histogram, scatter, spread, ticks


@given(st.lists(st.floats(0, 1.2)), st.floats(0, 1000))
def test_every_grade_is_in_one_bar_and_every_bar_in_the_box(scores: list[float], most: float) -> None:
    plot = histogram(scores, most)
    assert sum(bar.count for bar in plot.bars) == len(scores)
    for bar in plot.bars:
        assert bar.x >= 0 and bar.x + bar.width <= WIDTH
        assert bar.y >= 0 and bar.y + bar.height <= HEIGHT


def test_a_tenth_belongs_to_the_bar_that_begins_there() -> None:
    counts = [bar.count for bar in histogram([0, 0.1, 0.3, 0.7, 0.99, 1.0], 10).bars]
    assert counts == [1, 1, 0, 1, 0, 0, 0, 1, 0, 2]


def test_a_histogram_says_what_it_shows() -> None:
    assert histogram([], 10).sentence == "No grades yet."
    assert histogram([0.5, 1, 1], 10).sentence == (
        "3 grades, from 5 to 10 of 10 points; the median is 10, 2 have all points."
    )


@given(st.lists(st.tuples(st.text(max_size=5), st.floats(0, 1e6), st.integers(0, 1 << 40), st.booleans())))
def test_dots_stay_in_the_box(costs: list[tuple[str, float, int, bool]]) -> None:
    plot = scatter(costs)
    assert len(plot.dots) == len(costs)
    for dot in plot.dots:
        assert 0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT


@given(st.floats(2e-6, 1e12))
def test_an_axis_begins_at_nothing_and_reaches_the_most_in_few_steps(most: float) -> None:
    found = ticks(most)
    assert found[0] == 0
    assert found[-1] >= most * (1 - 1e-6)
    assert 2 <= len(found) <= 6


@pytest.mark.parametrize("most", [0.0, float("inf"), float("nan"), -1.0])
def test_an_axis_of_nothing_is_still_one(most: float) -> None:
    assert ticks(most)[0] == 0


def test_a_spread_has_the_median_and_nine_tenths() -> None:
    found = spread("Time", "s", list(range(1, 11)))
    assert found is not None
    assert (found.least, found.half, found.most_of_all, found.most) == (1, 5.5, 9, 10)
    assert spread("Time", "s", []) is None
