"""The race's statistics on simulated runners with a clock of their own: no real time is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from autograder.errors import AuthorError
from autograder.speed.race import Inputs, WrongOutput, measure, race, rank
from autograder.speed.score import band_points, check_bands

BANDS = {0.25: 4.0, 0.5: 7.0, 0.75: 10.0}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Simulated:
    """Takes ``seconds`` a call, times log-normal noise, with a rare long pause."""

    def __init__(self, clock: Clock, seconds: float, noise: float, seed: int, wrong_every: int = 0) -> None:
        self.clock, self.seconds, self.noise = clock, seconds, noise
        self.rng = np.random.default_rng(seed)
        self.wrong_every = wrong_every
        self.calls = 0
        self.seen: list[Any] = []

    def place(self, inputs: Sequence[Inputs]) -> Any:
        return inputs

    def run(self, placed: Any) -> list[Any]:
        for _ in placed:
            pause = 0.5 if self.rng.random() < 0.02 else 0.0
            self.clock.now += self.seconds * float(np.exp(self.noise * self.rng.standard_normal())) + pause
        self.calls += len(placed)
        self.seen += placed
        wrong = self.wrong_every and self.calls >= self.wrong_every
        return [None if wrong else x for (x,) in placed]


def run_race(
    ratio: float, noise: float = 0.1, seed: int = 0, budget: float = 60.0, wrong_every: int = 0
) -> Any:
    clock = Clock()
    student = Simulated(clock, 0.01 / ratio, noise, seed, wrong_every)
    reference = Simulated(clock, 0.01, noise, seed + 1)
    measured = race(
        student, reference, lambda rng: (float(rng.random()),), lambda inputs, mine, right: mine == right,
        sorted(BANDS), rng=np.random.default_rng(seed), clock=clock, budget=budget,
    )  # fmt: skip
    return measured, student


@pytest.mark.parametrize(
    ("ratio", "points"), [(1.0, 10), (0.62, 7), (0.35, 4), (0.15, 0), (0.01, 0), (3.0, 10)]
)
def test_the_band_is_right_in_every_one_of_many_noisy_regradings(ratio: float, points: float) -> None:
    for seed in range(40):
        measured, _ = run_race(ratio, seed=seed)
        assert band_points(measured, BANDS) == points


def test_the_interval_holds_the_true_ratio() -> None:
    inside = 0
    for seed in range(100):
        measured, _ = run_race(0.62, seed=seed)
        inside += measured.low <= 0.62 <= measured.high
    assert inside >= 98


def test_at_the_budget_the_bound_that_favours_the_student_decides() -> None:
    measured, _ = run_race(0.5, noise=0.5, budget=0.5)
    assert not measured.decided
    assert band_points(measured, BANDS) >= 7


def test_every_call_gets_an_input_never_seen_before() -> None:
    _, student = run_race(0.62)
    assert len({x for (x,) in student.seen}) == len(student.seen) == student.calls


def test_a_wrong_output_of_any_timed_call_ends_the_race() -> None:
    with pytest.raises(WrongOutput):
        run_race(1.0, wrong_every=9)


@pytest.mark.parametrize(("pairs", "k"), [(5, 0), (10, 0), (11, 1), (16, 2), (24, 4)])
def test_rank_is_that_of_the_sign_test(pairs: int, k: int) -> None:
    assert rank(pairs) == k


def test_too_few_pairs_decide_nothing() -> None:
    assert not measure([(1.0, 1.0)] * 5, [0.5]).decided


@pytest.mark.parametrize(
    "bands", [{}, {0.0: 1}, {0.5: 4, 0.8: 2}, {0.5: -1}, {float("nan"): 1}, {0.5: "many"}]
)
def test_bad_bands_are_the_authors_error(bands: Any) -> None:
    with pytest.raises(AuthorError):
        check_bands(bands)
