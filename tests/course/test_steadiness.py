"""Steadiness: medians and spreads over judgements, points that changed, and what an author is told."""

from __future__ import annotations

import pytest

from autograder.judge import CheckResult, NotebookResult, RaceKind, RaceResult, Verdict
from course.steadiness import Steadiness, steadiness

BANDS = ((0.03, 3.0), (0.3, 8.0))


def judged(
    ratio: float | None, points: float = 8.0, *, decided: bool = True, pairs: int = 20, overhead: float = 0.001,
    smooth: bool = False, kind: RaceKind = RaceKind.SPEED, marks: tuple[tuple[float, float], ...] = BANDS,
) -> NotebookResult:  # fmt: skip
    """A judgement of peak, with this race or none."""
    race = None
    if ratio is not None:
        race = RaceResult(ratio, ratio, ratio, pairs, decided, (), kind, marks, smooth, overhead)
    raced = CheckResult("check-peak-speed", "peak", Verdict.OK, points, 8.0, race=race)
    return NotebookResult((CheckResult("check-peak", "peak", Verdict.OK, 4.0, 4.0), raced))


def only(*results: NotebookResult) -> Steadiness:
    (found,) = steadiness(results, ["peak"])
    return found


def test_races_are_summed_up_over_judgements() -> None:
    found = only(judged(0.9, pairs=10), judged(1.0, pairs=20, decided=False), judged(1.2, pairs=30))
    assert (found.check, found.question, found.races) == ("check-peak-speed", "peak", 3)
    assert found.ratio == 1.0
    assert found.spread == pytest.approx(0.3)
    assert found.pairs == 20
    assert found.decided == pytest.approx(2 / 3)
    assert (found.points, found.changes, found.wavering, found.heavy, found.close) == ((8,), 0, "", "", "")


def test_what_did_not_race_or_is_not_asked_for_has_no_record() -> None:
    assert steadiness([judged(None)]) == ()
    assert steadiness([judged(0.9)], ["relu"]) == ()
    assert len(steadiness([judged(0.9)])) == 1


def test_a_change_of_points_names_them_the_most_frequent_first() -> None:
    found = only(judged(0.29, 3.0), judged(0.31, 8.0), judged(0.29, 3.0))
    assert (found.points, found.changes) == ((3, 8), 1)
    assert found.wavering == "check-peak-speed got 3 and 8 points for the same code (1 of 3 differ)"


def test_a_judgement_without_its_race_counts_as_a_change() -> None:
    assert only(judged(0.9), judged(None, 0.0)).wavering


def test_a_fault_of_ours_is_no_change() -> None:
    fault = NotebookResult((CheckResult("check-peak-speed", "peak", Verdict.FAULT, 0.0, 8.0),))
    assert (only(judged(0.9), fault).races, only(judged(0.9), fault).wavering) == (1, "")


def test_a_smooth_score_may_differ_a_little() -> None:
    ends = ((0.5, 0.0), (1.0, 10.0))
    assert not only(
        judged(0.8, 6.8, smooth=True, marks=ends), judged(0.81, 7.0, smooth=True, marks=ends)
    ).wavering
    assert only(judged(0.8, 6.8, smooth=True, marks=ends), judged(0.9, 8.5, smooth=True, marks=ends)).wavering


def test_an_author_is_warned_of_a_near_mark_and_of_handing_over() -> None:
    found = only(judged(0.28, 3.0, overhead=0.14))
    assert found.nearest == 0.3
    assert found.distance == pytest.approx(0.0667, abs=1e-3)
    assert found.heavy == (
        "handing over takes 14 % of the reference's turns: make the function do more for each byte"
    )
    assert found.close == "within 10 % of the mark 0.3: move the mark"
    assert (only(judged(0.2, 3.0)).heavy, only(judged(0.2, 3.0)).close) == ("", "")


@pytest.mark.parametrize("ratio", [0.0, float("inf")])
def test_a_ratio_without_measure_breaks_nothing(ratio: float) -> None:
    assert only(judged(ratio)).wavering == ""
    assert only(judged(1.0, marks=())).nearest is None
