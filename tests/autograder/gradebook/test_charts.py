"""The chart of a race: its shapes stay in the box, are few and coarse, and the words say the same."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.gradebook.charts import Chart, Label, Look, Path, draw
from autograder.gradebook.charts.words import digits, size
from autograder.judge import RaceKind, RaceResult

SPEED, MEMORY, GROWTH = RaceKind
BANDS = ((0.5, 2.0), (0.8, 4.0), (1.0, 5.0))
ANY = st.floats(allow_nan=True, allow_infinity=True)


def race(ratio: float, low: float, high: float, **fields: object) -> RaceResult:
    known = {"pairs": 28, "decided": True, "marks": BANDS}
    return RaceResult(ratio, low, high, **{**known, **fields})  # type: ignore[arg-type]  # the test's own fields


def pairs(ratio: float, count: int, noise: float = 0.02) -> tuple[tuple[float, float], ...]:
    """(student, reference) seconds."""
    rng = np.random.default_rng(7)
    return tuple((0.01 / (ratio * math.exp(noise * rng.normal())), 0.01) for _ in range(count))


def runs(exponent: float, sizes: tuple[int, ...] = (100, 1000, 10_000)) -> tuple[tuple[float, float], ...]:
    """(size, seconds)."""
    return tuple((float(n), 1e-6 * n**exponent) for n in sizes for _ in range(3))


def areas(chart: Chart, look: Look) -> list[Path]:
    return [area for area in chart.areas if area.look is look]


def lines(chart: Chart, look: Look) -> list[Path]:
    return [line for line in chart.lines if line.look is look]


def labels(chart: Chart, look: Look) -> list[str]:
    return [label.text for label in chart.labels if label.look is look]


def places(chart: Chart) -> Iterator[tuple[float, float]]:
    for path in (*chart.areas, *chart.lines):
        yield from path.places
    yield from ((dot.x, dot.y) for dot in chart.dots)
    yield from ((label.x, label.y) for label in chart.labels)


def test_points_are_written_at_each_mark_and_the_reached_ones_stand_out() -> None:
    chart = draw(race(0.85, 0.83, 0.87, samples=pairs(0.85, 28)))
    assert labels(chart, Look.REACHED) == ["0.5 → 2 points", "0.8 → 4 points"]
    assert labels(chart, Look.MARK) == ["1 → 5 points"]
    assert [len(areas(chart, look)) for look in (Look.REACHED, Look.STEP, Look.RIDGE)] == [2, 1, 1]
    assert labels(chart, Look.RATIO) == ["0.85 ×"]


def test_the_interval_lies_between_the_marks_that_it_decided() -> None:
    chart = draw(race(0.85, 0.83, 0.87))
    ((left, _), (right, _)) = lines(chart, Look.INTERVAL)[0].places
    below, above = lines(chart, Look.REACHED)[1].places[0][0], lines(chart, Look.MARK)[0].places[0][0]
    assert below < left < chart.dots[0].x < right < above


def test_a_speed_is_said_in_words() -> None:
    assert draw(race(0.8212, 0.801, 0.842)).sentence == (
        "Your code runs at 0.82 times the reference's speed (99.9 % interval 0.80 to 0.84, 28 pairs). "
        "2 points from 0.5, 4 points from 0.8, 5 points from 1."
    )


def test_where_time_ran_out_the_bound_that_counted_is_shown_and_said() -> None:
    chart = draw(race(0.98, 0.95, 1.03, decided=False))
    assert labels(chart, Look.REACHED)[-1] == "1 → 5 points"
    assert [dot.look for dot in chart.dots] == [Look.SAMPLE, Look.RATIO]
    assert "so the bound in your favour counted" in chart.sentence
    few = draw(race(0.6, 0.0, math.inf, decided=False, pairs=3))
    assert "too few for an interval, 3 pairs" in few.sentence and "favour" not in few.sentence
    assert labels(few, Look.REACHED) == ["0.5 → 2 points"]
    slow = draw(race(0.0064, 0.0, 0.0071, decided=False, pairs=2))
    assert "too few for an interval, 2 pairs" in slow.sentence and "favour" in slow.sentence


def test_a_smooth_score_is_a_ramp() -> None:
    chart = draw(race(0.63, 0.61, 0.65, marks=((0.25, 0.0), (1.0, 10.0)), smooth=True))
    (ramp,) = areas(chart, Look.RAMP)
    heights = [y for _, y in ramp.places[1:-1]]
    assert heights == sorted(heights, reverse=True) and heights[0] > heights[-1]
    assert "Points rise from 0 at 0.25 to 10 at 1." in chart.sentence


def test_memory_is_told_as_times_the_references() -> None:
    chart = draw(
        race(
            *(0.75, 0.74, 0.76), kind=MEMORY, marks=((0.5, 2.0), (0.9, 4.0)), pairs=11,
            samples=((24 << 20, 18 << 20),) * 11,
        )
    )  # fmt: skip
    assert labels(chart, Look.REACHED) == ["≤ 2 times → 2 points"]
    assert labels(chart, Look.RATIO) == ["1.33 ×"]
    assert chart.sentence == (
        "Your call needs 1.33 times the reference's extra memory (peak 24 MB against 18.0 MB; "
        "99.9 % interval 1.32 to 1.35, 11 pairs). 2 points up to 2 times, 4 points up to 1.11 times."
    )


def test_growth_is_drawn_over_size_with_the_allowed_exponent() -> None:
    chart = draw(race(1.07, 1.02, 1.12, kind=GROWTH, marks=((1.25, 5.0),), samples=runs(1.07), pairs=9))
    (fit,), (allowed,) = lines(chart, Look.FIT), lines(chart, Look.ALLOWED)
    assert fit.places[0] == allowed.places[0] and fit.places[1][1] > allowed.places[1][1]
    assert len([dot for dot in chart.dots if dot.look is Look.SAMPLE]) == 3
    assert labels(chart, Look.FIT) == ["n^1.07: yours"]
    assert labels(chart, Look.ALLOWED) == ["n^1.25 → 5 points"]
    assert {"100", "1,000", "10,000"} <= set(labels(chart, Look.QUIET))
    assert chart.sentence == (
        "Time grows like n^1.07 (99.9 % interval 1.02 to 1.12, 9 runs), allowed n^1.25 for 5 points."
    )


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_the_fitted_line_goes_through_the_measured_times(exponent: float) -> None:
    chart = draw(race(exponent, exponent, exponent, kind=GROWTH, samples=runs(exponent)))
    ((x0, y0), (x1, y1)) = lines(chart, Look.FIT)[0].places
    for dot in chart.dots:
        assert dot.y == pytest.approx(y0 + (dot.x - x0) / (x1 - x0) * (y1 - y0), abs=1.5)


def test_a_time_that_does_not_grow_has_an_interval_around_zero() -> None:
    assert "like n^0.01 (99.9 % interval -0.05 to 0.07" in draw(race(0.01, -0.05, 0.07, kind=GROWTH)).sentence


def test_what_is_not_graded_is_noted_where_it_is_known() -> None:
    assert draw(race(0.9, 0.89, 0.91, overhead=0.08)).notes == ()
    notes = draw(race(0.9, 0.89, 0.91, instructions=(1.2e9, 1e9), overhead=0.154)).notes
    assert "1.20 times the reference's instructions" in notes[0] and "isn't graded" in notes[0]
    assert notes[1].startswith("15.4 % of the reference's turns")


def test_a_result_from_before_marks_were_kept_is_held_against_the_reference() -> None:
    chart = draw(RaceResult(0.8, 0.7, 0.9, 11, True))
    assert labels(chart, Look.MARK) == ["1: the reference"]
    assert chart.sentence.endswith("(99.9 % interval 0.70 to 0.90, 11 pairs).")


def covered(one: Label, other: Label) -> bool:
    return one.y == other.y and one.x < other.x < one.x + 6.3 * len(one.text)


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=12, unique=True), st.floats(0.01, 10))
def test_no_words_cover_others_or_leave_the_box(ratios: list[float], ratio: float) -> None:
    marks = tuple((each, 1.0 + place) for place, each in enumerate(sorted(ratios)))
    chart = draw(race(ratio, ratio * 0.98, ratio * 1.02, marks=marks))
    flags = [label for label in chart.labels if label.look in (Look.MARK, Look.REACHED)]
    assert not any(covered(one, other) for one in flags for other in flags)
    assert all(label.x + 5 * len(label.text) <= chart.width for label in flags)


@example(RaceKind.MEMORY, 0.0, 0.0, 0.0, False, False, 0.0, [], [(0.0, 1e308), (0.0, 1e308)], None)
@example(RaceKind.MEMORY, 0.0, 0.0, 0.0, False, False, 0.0, [], [(math.inf, 0.0), (-math.inf, 0.0)], None)
@example(RaceKind.SPEED, 0.0, 0.0, 0.0, False, False, 0.0, [(1.0, 3.5e306)], [], None)
@example(RaceKind.GROWTH, 6.0, 0.0, 0.0, False, False, 0.0, [(0.5**n, 0.0) for n in range(1, 5)], [], None)
@example(RaceKind.GROWTH, 6.0, 0.0, 0.0, False, False, 0.0, [(0.5**n, 0.0) for n in range(1, 20)], [], None)
@given(
    st.sampled_from(RaceKind),
    *(ANY, ANY, ANY, st.booleans(), st.booleans(), ANY),
    st.lists(st.tuples(ANY, ANY), max_size=6),
    st.lists(st.tuples(ANY, ANY), max_size=40),
    st.none() | st.tuples(ANY, ANY),
)
def test_whatever_a_race_holds_its_chart_stays_in_its_box(
    kind: RaceKind, ratio: float, low: float, high: float, decided: bool, smooth: bool, overhead: float,
    marks: list[tuple[float, float]], samples: list[tuple[float, float]], counted: tuple[float, float] | None,
) -> None:  # fmt: skip
    chart = draw(
        RaceResult(
            ratio, low, high, 5, decided, tuple(samples), kind, tuple(marks), smooth, overhead, counted
        )
    )
    for x, y in places(chart):
        assert 0 <= x <= chart.width and 0 <= y <= chart.height
    assert len(chart.sentence) < 1000 and "nan" not in chart.sentence


@pytest.mark.parametrize("kind", RaceKind)
def test_thousands_of_samples_make_no_bigger_chart(kind: RaceKind) -> None:
    rng = np.random.default_rng(3)
    samples = tuple((float(a), float(b)) for a, b in rng.lognormal(size=(20_000, 2)))
    chart = draw(race(0.9, 0.8, 1.1, kind=kind, samples=samples, marks=((0.5, 2.0),) * 50))
    assert len(list(places(chart))) < 250


def test_a_student_reads_no_finer_than_a_picture_needs() -> None:
    """Places of whole units and numbers of at most three digits: two races a thousandth apart look alike."""
    one = draw(race(0.85, 0.83, 0.87, samples=pairs(0.85, 40)))
    other = draw(race(0.8504, 0.8304, 0.8704, samples=pairs(0.8504, 40)))
    assert one.sentence == other.sentence
    assert all(x == round(x) for area in one.areas for x, _ in area.places)
    figures = re.findall(r"\d+\.\d+", one.sentence.replace("99.9", ""))
    assert all(len(figure.replace(".", "").lstrip("0")) <= 3 for figure in figures)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.034, "0.034"), (0.8212, "0.82"), (0.996, "1.00"), (1.0449, "1.04"), (2.34, "2.3"), (9.96, "10.0"),
        (17.2, "17.2"), (24.4, "24"), (170.4, "170"), (0.0, "0"), (math.inf, "∞"), (math.nan, "?"),
        (3e-7, "3.0e-07"), (2e9, "2.0e+09"), (-0.5, "-0.50"),
    ],
)  # fmt: skip
def test_numbers_have_two_or_three_digits(value: float, said: str) -> None:
    assert digits(value) == said


def test_sizes_have_units() -> None:
    assert [size(n) for n in (500, 3 << 10, 24 << 20, 5 << 30)] == ["500 bytes", "3.0 kB", "24 MB", "5.0 GB"]
