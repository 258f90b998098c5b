"""Growth on simulated functions with a clock of their own: no real time is measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from autograder.errors import AuthorError
from autograder.speed.growth import CLAIMS, MARGIN, Growth, Round, judge_growth, measure_growth

SIZES = (1000, 2000, 4000, 8000, 16000)
Cost = Callable[[int], float]


def n_log_n(n: int) -> float:
    return float(1e-7 * n * math.log(n))


def n_squared(n: int) -> float:
    return 2e-9 * n**2


class Machine:
    """Runs costs on a clock of its own, with noise, rare pauses and throttling that comes and goes."""

    def __init__(
        self,
        student: Cost,
        reference: Cost = n_log_n,
        *,
        noise: float = 0.08,
        throttle: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.student, self.reference = student, reference
        self.noise, self.throttle = noise, throttle
        self.rng = np.random.default_rng(seed)
        self.now = 0.0
        self.measured: list[int] = []

    def clock(self) -> float:
        return self.now

    def measure(self, size: int) -> tuple[float, float]:
        slow = self.throttle if int(self.now * 4) % 2 else 1.0
        seconds = [
            cost(size) * slow * math.exp(self.noise * self.rng.normal()) + 0.2 * (self.rng.random() < 0.01)
            for cost in (self.student, self.reference)
        ]
        self.now += sum(seconds)
        self.measured.append(size)
        return seconds[0], seconds[1]


def grown(
    machine: Machine,
    claim: str = "n log n",
    sizes: Sequence[int] = SIZES,
    budget: float = 20.0,
    **options: Any,
) -> Growth:
    return measure_growth(
        machine.measure,
        sizes,
        claim,
        rng=np.random.default_rng(1),
        clock=machine.clock,
        budget=budget,
        **options,
    )


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_function_that_takes_what_is_claimed_holds(claim: str) -> None:
    def cost(n: int) -> float:
        return 1e-3 * CLAIMS[claim](n) / CLAIMS[claim](SIZES[0])

    for seed in range(5):
        found = grown(Machine(cost, cost, seed=seed), claim, budget=60 * cost(SIZES[-1]) + 10)
        assert found.holds and found.decided
        assert found.low <= found.exponent <= found.high <= found.bound


@pytest.mark.parametrize(
    ("cost", "claim"),
    [
        (n_squared, "n log n"),
        (n_squared, "n^1.5"),
        (lambda n: 1e-8 * n**1.5, "n log n"),
        (lambda n: 1e-6 * n, "log n"),
        (lambda n: 1e-4 * math.log(n) ** 3, "1"),
        (lambda n: 1e-13 * n**3, "n^2 log n"),
    ],
)
def test_a_worse_class_fails(cost: Cost, claim: str) -> None:
    for seed in range(5):
        found = grown(Machine(cost, lambda n: cost(n) ** 0.5 * 0.1, seed=seed), claim, within=1e6)
        assert found.decided and not found.holds
        assert found.low > found.bound


def test_a_throttled_machine_changes_nothing() -> None:
    steady = [grown(Machine(n_log_n, seed=seed)).holds for seed in range(20)]
    throttled = [grown(Machine(n_log_n, throttle=3.0, seed=seed)).holds for seed in range(20)]
    assert steady == throttled == [True] * 20
    assert not any(grown(Machine(n_squared, throttle=3.0, seed=seed), budget=60).holds for seed in range(20))


def test_a_round_is_one_unit_so_its_slowdown_cancels() -> None:
    rng = np.random.default_rng(2)
    rounds = []
    for slow in rng.uniform(1, 10, size=14):
        seconds = {size: slow * n_log_n(size) for size in SIZES}
        rounds.append(Round(seconds, seconds))
    found = judge_growth(rounds, "n log n")
    assert found.low == pytest.approx(found.high) == pytest.approx(found.bound - MARGIN)


def test_overhead_flattens_in_the_students_favour() -> None:
    found = grown(Machine(lambda n: 1e-3 + n_log_n(n), lambda n: 1e-3 + n_log_n(n)))
    assert found.decided and found.holds
    assert found.exponent < found.bound - MARGIN


def test_a_function_is_held_to_no_less_than_the_reference_grows() -> None:
    """Data that outgrows a cache: both sides look like n^1.3."""

    def cached(n: int) -> float:
        return float(1e-7 * n**1.3)

    assert grown(Machine(cached, cached), "n").holds
    assert not grown(Machine(cached, lambda n: 1e-7 * n), "n").holds
    assert not grown(Machine(n_squared, n_squared), "n").holds


def padded(n: int) -> float:
    """n², and at small sizes as much useless work as makes the curve flat."""
    return float(n_squared(SIZES[-1]) * (n / SIZES[-1]) ** 1.1)


def test_padding_small_sizes_flattens_the_curve_and_gains_nothing() -> None:
    unwatched = grown(Machine(padded, lambda n: padded(n) / 5))
    assert unwatched.holds
    watched = grown(Machine(padded), within=10.0)
    assert watched.decided and not watched.holds
    assert watched.high <= watched.bound and watched.largest.middle > 10


def test_a_function_so_slow_that_time_is_spent_at_once_fails_all_the_same() -> None:
    machine = Machine(lambda n: 1e-7 * n**2)
    found = grown(machine, budget=1.0)
    assert (found.decided, found.holds, found.rounds) == (True, False, 5)
    slow_and_flat = grown(Machine(lambda n: 100 * n_log_n(n)), budget=1.0)
    assert (slow_and_flat.decided, slow_and_flat.holds) == (True, False)


def test_what_the_budget_leaves_open_goes_to_the_student() -> None:
    found = grown(Machine(lambda n: 1e-7 * n**1.28, noise=0.5), budget=0.5)
    assert found.holds and not found.decided
    assert found.low <= found.bound < found.high


def test_every_round_measures_each_size_once_in_an_order_of_its_own() -> None:
    machine = Machine(n_log_n)
    found = grown(machine)
    rounds = [tuple(machine.measured[at : at + 5]) for at in range(0, len(machine.measured), 5)]
    assert found.rounds == len(rounds) and all(sorted(each) == list(SIZES) for each in rounds)
    assert len(set(rounds)) > len(rounds) / 2
    assert len(found.samples) == len(machine.measured)
    assert {size for size, _ in found.samples} == set(SIZES)


def test_verdicts_are_right_at_noise_without_a_variance() -> None:
    class Wild(Machine):
        def measure(self, size: int) -> tuple[float, float]:
            seconds = super().measure(size)
            heavy = [each * math.exp(0.1 * abs(self.rng.standard_t(1.2))) for each in seconds]
            return heavy[0], heavy[1]

    assert all(grown(Wild(n_log_n, seed=seed), budget=60).holds for seed in range(20))
    assert not any(grown(Wild(n_squared, seed=seed), budget=60).holds for seed in range(20))


@pytest.mark.parametrize(
    ("sizes", "claim", "within", "words"),
    [
        (SIZES, "n²", 50.0, "no claim"),
        ((1000, 8000), "n", 50.0, "three or more"),
        ((1000, 2000, 4000), "n", 50.0, "8 times"),
        ((1, 10, 100), "n", 50.0, "whole numbers from 2"),
        ((10, 10, 100), "n", 50.0, "different"),
        ((10.0, 20.0, 100.0), "n", 50.0, "whole numbers"),
        (SIZES, "n", 0.5, "within"),
        (SIZES, "n", math.nan, "within"),
    ],
)
def test_a_malformed_claim_is_the_authors_error(sizes: Any, claim: str, within: float, words: str) -> None:
    with pytest.raises(AuthorError, match=words):
        grown(Machine(n_log_n), claim, sizes, within=within)
