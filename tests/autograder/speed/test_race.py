"""The race's statistics on simulated runners with a clock of their own: no real time is measured."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from autograder.speed.race import HOPELESS_PAIRS, Inputs, Measurement, NoisyHost, WrongOutput, race
from autograder.speed.score import Bands, Score, Smooth

BANDS = Bands({0.25: 4.0, 0.5: 7.0, 0.75: 10.0})
HANDING_OVER = 1e-4


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Simulated:
    """Takes ``seconds`` a call and some for handing over, times log-normal noise, with a rare long pause."""

    def __init__(self, clock: Clock, seconds: float, noise: float, seed: int, wrong_every: int = 0) -> None:
        self.clock, self.seconds, self.noise = clock, seconds, noise
        self.rng = np.random.default_rng(seed)
        self.wrong_every = wrong_every
        self.calls = 0
        self.seen: list[Any] = []
        self.handed = 0.0

    def handing_over(self) -> float:
        return self.handed

    def run(self, calls: Sequence[Inputs]) -> tuple[list[Any], float]:
        taken = self.handed = HANDING_OVER * len(calls)
        for _ in calls:
            pause = 0.5 if self.rng.random() < 0.02 else 0.0
            taken += self.seconds * float(np.exp(self.noise * self.rng.standard_normal())) + pause
        self.clock.now += taken
        self.calls += len(calls)
        self.seen += calls
        wrong = self.wrong_every and self.calls >= self.wrong_every
        return [None if wrong else x for (x,) in calls], taken


class SimulatedIdle:
    """Nothing but handing over."""

    most_calls = 100

    def __init__(self, inputs: Inputs, output: Any) -> None:
        self.output = output

    def run(self, calls: Sequence[Inputs]) -> tuple[list[Any], float]:
        return [self.output] * len(calls), 1e-5 + HANDING_OVER * len(calls)


def run_race(
    ratio: float,
    noise: float = 0.1,
    seed: int = 0,
    budget: float = 60.0,
    wrong_every: int = 0,
    score: Score = BANDS,
    seconds: float = 0.01,
    reference_noise: float | None = None,
) -> tuple[Measurement, Simulated]:
    clock = Clock()
    student = Simulated(clock, seconds / ratio, noise, seed, wrong_every)
    rival = Simulated(clock, seconds, noise if reference_noise is None else reference_noise, seed + 1)
    measured = race(
        student, rival, SimulatedIdle, lambda rng: (float(rng.random()),),
        lambda inputs, mine, right: bool(mine == right), score,
        rng=np.random.default_rng(seed), clock=clock, budget=budget,
    )  # fmt: skip
    return measured, student


@pytest.mark.parametrize(
    ("ratio", "points"), [(1.0, 10), (0.62, 7), (0.35, 4), (0.15, 0), (0.01, 0), (3.0, 10)]
)
def test_the_band_is_right_in_every_one_of_many_noisy_regradings(ratio: float, points: float) -> None:
    for seed in range(40):
        measured, _ = run_race(ratio, seed=seed)
        assert BANDS.points(measured) == points


def test_the_interval_holds_the_true_ratio() -> None:
    inside = 0
    for seed in range(100):
        measured, _ = run_race(0.62, seed=seed)
        inside += measured.low <= 0.62 <= measured.high
    assert inside >= 98


def test_at_the_budget_the_bound_that_favours_the_student_decides() -> None:
    measured, _ = run_race(0.5, noise=0.1, budget=1.5, reference_noise=0.05)
    assert not measured.decided
    assert BANDS.points(measured) >= 7


@pytest.mark.parametrize("budget", [1.0, 3.0, 6.0])
def test_what_is_undecided_gains_nothing_from_a_reference_that_was_held_up(budget: float) -> None:
    for seed in range(20):
        with contextlib.suppress(NoisyHost):
            measured, _ = run_race(0.4, noise=0.05, budget=budget, seed=seed)
            assert BANDS.points(measured) <= 7


def test_a_host_on_which_the_reference_itself_is_unsteady_decides_nothing() -> None:
    with pytest.raises(NoisyHost):
        run_race(0.5, noise=1.0, budget=2.0)


def test_a_race_for_a_line_ends_where_more_pairs_would_change_little() -> None:
    line = Smooth({0.5: 0.0, 1.0: 10.0})
    measured, _ = run_race(0.75, noise=0.01, score=line)
    assert measured.decided
    assert line.points(measured) == pytest.approx(5.85, abs=0.3)


def test_short_calls_are_timed_many_at_once_and_their_handing_over_is_told() -> None:
    measured, student = run_race(0.62, seconds=4e-4)
    assert student.calls >= 8 * len(measured.samples)
    assert measured.overhead == pytest.approx(HANDING_OVER / 5e-4, rel=0.3)
    assert measured.low < 0.62 < measured.high


def test_handing_over_is_taken_off_both_sides() -> None:
    measured, _ = run_race(0.3, noise=0.03, seconds=4e-4)
    assert measured.ratio == pytest.approx(0.3, rel=0.05)
    assert np.median([rivals for _, rivals in measured.samples]) == pytest.approx(4e-4, rel=0.1)


class Tiring(Simulated):
    """A runner on a machine on which handing over takes 2 ms more once the race has begun."""

    def run(self, calls: Sequence[Inputs]) -> tuple[list[Any], float]:
        outputs, taken = super().run(calls)
        more = 2e-3 if self.clock.now > 0.2 else 0.0
        self.handed += more
        return outputs, taken + more


def test_handing_over_is_followed_where_it_changes() -> None:
    clock = Clock()
    student, rival = Tiring(clock, 0.014, 0.03, 1), Tiring(clock, 0.01, 0.03, 2)
    measured = race(
        student, rival, SimulatedIdle, lambda rng: (float(rng.random()),),
        lambda inputs, mine, right: bool(mine == right), Smooth({0.5: 0.0, 1.0: 10.0}),
        rng=np.random.default_rng(1), clock=clock, budget=60.0,
    )  # fmt: skip
    assert measured.ratio == pytest.approx(10 / 14, rel=0.01)


def test_every_call_gets_an_input_never_seen_before() -> None:
    _, student = run_race(0.62)
    assert len({x for (x,) in student.seen}) == len(student.seen) == student.calls


def test_a_wrong_output_of_any_timed_call_ends_the_race() -> None:
    with pytest.raises(WrongOutput):
        run_race(1.0, wrong_every=9)


class Waking(Simulated):
    """A runner whose turns take some time whatever is in them, and whose first ``slow_calls`` are slow."""

    slow_calls = 0

    def run(self, calls: Sequence[Inputs]) -> tuple[list[Any], float]:
        noise = float(np.exp(self.noise * self.rng.standard_normal()))
        slow = 0.5 * min(len(calls), max(0, self.slow_calls - self.calls))
        self.handed = 5e-4
        taken = slow + self.handed + self.seconds * len(calls) * noise
        self.clock.now += taken
        self.calls += len(calls)
        self.seen += [x for (x,) in calls]
        return [x for (x,) in calls], taken


class HeldUp(Waking):
    """A runner that the host holds up for half a second when nearly all of the race's time is spent."""

    held_up = False

    def run(self, calls: Sequence[Inputs]) -> tuple[list[Any], float]:
        outputs, taken = super().run(calls)
        if self.clock.now > 1.5 and self.calls > 3 and not self.held_up:
            self.held_up = True
            self.clock.now += 0.5
            taken += 0.5
        return outputs, taken


def short_race(student: Waking, rival: Waking, budget: float = 60.0) -> Measurement:
    return race(
        student, rival, SimulatedIdle, lambda rng: (float(rng.random()),),
        lambda inputs, mine, right: bool(mine == right), BANDS,
        rng=np.random.default_rng(1), clock=student.clock, budget=budget,
    )  # fmt: skip


def test_who_spends_the_time_warming_up_gains_nothing_by_a_turn_that_was_held_up() -> None:
    clock = Clock()
    student, rival = Waking(clock, 2e-3, 0.01, 1), HeldUp(clock, 1e-3, 0.01, 2)
    student.slow_calls = 3
    measured = short_race(student, rival, budget=1.5)
    assert rival.held_up and len(measured.samples) < HOPELESS_PAIRS
    assert measured.high < 0.6


def test_who_is_slow_only_while_it_warms_up_gains_nothing_by_short_turns() -> None:
    clock = Clock()
    student, rival = Waking(clock, 2e-3, 0.1, 1), Waking(clock, 2e-4, 0.1, 2)
    student.slow_calls = 2
    measured = short_race(student, rival)
    assert measured.ratio < 0.15
    assert BANDS.points(measured) == 0


@pytest.mark.parametrize("seconds", [(1e-5, 0.1), (0.1, 1e-5), (1e-3, 1e-3)])
def test_every_call_of_the_students_has_one_of_the_references_beside_it(
    seconds: tuple[float, float],
) -> None:
    clock = Clock()
    student, rival = (Waking(clock, each, 0.1, n) for n, each in enumerate(seconds))
    short_race(student, rival)
    assert set(student.seen) <= set(rival.seen)
