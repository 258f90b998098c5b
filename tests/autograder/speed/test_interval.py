"""The interval against every sequence of coin tosses, and against simulated noise of several kinds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from autograder.speed.interval import ERROR, LOOKS, Interval, dependence, interval, is_look, rank
from autograder.speed.score import Bands

Noise = npt.NDArray[np.float64]
PAIRS = 220


def missed(signs: Noise, k: int) -> npt.NDArray[np.bool_]:
    """Of rows of ±1: whether zero lies outside the k-th smallest and largest."""
    above = np.count_nonzero(signs > 0, axis=1)
    outside: npt.NDArray[np.bool_] = (above < k) | (above > signs.shape[1] - k)
    return outside


def test_the_first_looks_miss_as_often_as_all_sequences_of_tosses_say() -> None:
    every = np.array(list(itertools.product((-1.0, 1.0), repeat=18)))
    wider = missed(every[:, :14], rank(14)) | missed(every, rank(18))
    narrower = missed(every[:, :14], rank(14)) | missed(every, rank(18) + 1)
    share = ERROR * math.sqrt(18 / LOOKS[-1])
    assert wider.mean() <= share < narrower.mean()


def test_all_looks_together_miss_in_at_most_one_of_a_thousand_races() -> None:
    """Recounted by walking over heads, with Python's own numbers."""
    alive, lost = {0: 1.0}, 0.0
    for toss in range(1, LOOKS[-1] + 1):
        new: dict[int, float] = {}
        for heads, chance in alive.items():
            new[heads] = new.get(heads, 0.0) + chance / 2
            new[heads + 1] = new.get(heads + 1, 0.0) + chance / 2
        if is_look(toss):
            k = rank(toss)
            lost += sum(chance for heads, chance in new.items() if not k <= heads <= toss - k)
            new = {heads: chance for heads, chance in new.items() if k <= heads <= toss - k}
        alive = new
    assert 0.9 * ERROR < lost <= ERROR
    assert lost + sum(alive.values()) == pytest.approx(1)


def test_no_look_is_wider_than_an_equal_share_for_each_would_make_it() -> None:
    def shared(pairs: int) -> int:
        tails = itertools.accumulate(math.comb(pairs, below) / 2**pairs for below in range(pairs // 2))
        return sum(2 * tail <= ERROR / len(LOOKS) for tail in tails)

    late = [look for look in LOOKS if look >= 28]
    assert all(rank(look) >= shared(look) for look in late)
    assert sum(rank(look) - shared(look) for look in late) >= 8


@pytest.mark.parametrize("pairs", [15, 60, 123, 199, 837, 1000])
def test_where_time_is_spent_between_looks_the_interval_is_no_narrower_than_one_look_alone(
    pairs: int,
) -> None:
    k = rank(pairs)
    assert 2 * sum(math.comb(pairs, below) for below in range(k)) / 2**pairs <= ERROR
    assert rank(pairs) >= rank(max(look for look in LOOKS if look <= pairs)) - 2


def test_looks_grow_geometrically() -> None:
    assert [is_look(pairs) for pairs in (13, 14, 15, 220, 221)] == [False, True, False, True, False]
    assert all(1.2 < later / sooner < 1.35 for sooner, later in itertools.pairwise(LOOKS))


def test_too_few_pairs_bound_nothing() -> None:
    got = interval([math.log(2)] * 5)
    assert (got.low, got.middle, got.high) == pytest.approx((0, 2, math.inf))


def test_the_bounds_are_pairs_that_were_seen() -> None:
    got = interval([math.log(ratio) for ratio in (5, 14, 1, 9, 3, 10, 2, 13, 4, 12, 6, 11, 7, 8)])
    assert (got.low, got.middle, got.high) == pytest.approx((1, math.sqrt(7 * 8), 14))
    assert got.holds(1.5) and not got.holds(14.5)


def test_an_allowance_widens_both_sides_by_its_factor() -> None:
    logs = np.random.default_rng(0).normal(size=50).tolist()
    plain, wide = interval(logs), interval(logs, 0.02)
    assert wide.low == pytest.approx(plain.low * math.exp(-0.02))
    assert wide.high == pytest.approx(plain.high * math.exp(0.02))
    assert wide.middle == plain.middle


def test_swapping_the_two_sides_turns_the_interval_over() -> None:
    logs = np.random.default_rng(1).standard_t(2, size=88)
    there, back = interval(logs.tolist()), interval((-logs).tolist())
    assert (1 / back.high, 1 / back.middle, 1 / back.low) == pytest.approx(
        (there.low, there.middle, there.high)
    )


@pytest.mark.parametrize("logs", [[], [0.0, math.nan]])
def test_what_is_no_number_is_refused(logs: list[float]) -> None:
    with pytest.raises(ValueError, match="numbers"):
        interval(logs)


def test_a_call_that_took_no_time_at_all_is_a_ratio_beyond_all_bounds() -> None:
    assert interval([math.inf] * 30) == Interval(math.inf, math.inf, math.inf)


# -- dependence --------------------------------------------------------------------------------


def test_equal_pairs_are_independent_of_each_other() -> None:
    assert dependence([0.0] * 40) == 1
    assert interval([0.0] * 40) == Interval(1, 1, 1)


def test_independent_pairs_are_worth_about_one_each() -> None:
    rng = np.random.default_rng(2)
    assert 1 <= np.mean([dependence(rng.normal(size=PAIRS)) for _ in range(200)]) < 1.3


def test_pairs_that_come_in_sixes_are_worth_a_sixth() -> None:
    rng = np.random.default_rng(3)
    found = np.median([dependence(np.repeat(rng.normal(size=40), 6)) for _ in range(100)])
    assert 4 < found < 9


def test_dependence_takes_the_bounds_further_out() -> None:
    assert 0 < rank(200, 4.0) < rank(200, 1.5) < rank(200)
    assert rank(14, 1.2) == 0


def test_order_matters_only_through_dependence() -> None:
    values = np.sort(np.random.default_rng(4).normal(size=110))
    mixed = np.random.default_rng(5).permutation(values)
    drifting, mixing = interval(values.tolist()), interval(mixed.tolist())
    assert drifting.low < mixing.low < mixing.high < drifting.high
    assert interval(values.tolist(), independent=True) == interval(mixed.tolist(), independent=True)


# -- simulated races: the interval holds the truth, the band is right -----------------------------


def independent(rng: np.random.Generator) -> Noise:
    return 0.1 * rng.normal(size=PAIRS)


def heavy(rng: np.random.Generator) -> Noise:
    """Without a variance, nor hardly a mean."""
    return 0.05 * rng.standard_t(1.2, size=PAIRS)


def lopsided(rng: np.random.Generator) -> Noise:
    """Pauses that hit the student alone; the median of the rest is the truth."""
    noise: Noise = rng.exponential(0.15, size=PAIRS)
    return noise - 0.15 * math.log(2)


def bursts(rng: np.random.Generator) -> Noise:
    """About every fiftieth pair begins a burst of four or so that slows one of the two."""
    noise = 0.1 * rng.normal(size=PAIRS)
    for start in np.flatnonzero(rng.random(PAIRS) < 0.02):
        noise[start : start + int(rng.geometric(0.25))] += 0.2 * rng.choice((-1, 1))
    return noise


def lasting(rng: np.random.Generator) -> Noise:
    """Each pair repeats three tenths of the one before."""
    noise = rng.normal(size=PAIRS)
    for place in range(1, PAIRS):
        noise[place] = 0.3 * noise[place - 1] + math.sqrt(1 - 0.09) * noise[place]
    return 0.1 * noise


def drifting(rng: np.random.Generator) -> Noise:
    """A wave of a tenth of the noise's height, at any phase, some hundred pairs long."""
    wave = 0.01 * np.sin(2 * np.pi * (np.arange(PAIRS) / rng.uniform(80, 120) + rng.random()))
    noise: Noise = 0.1 * rng.normal(size=PAIRS) + wave
    return noise


def regraded(noise: Noise, ratio: float, bands: Bands) -> tuple[float | None, bool]:
    """(points, None where undecided; whether every interval looked at held the ratio)."""
    logs, held = noise + math.log(ratio), True
    for look in [look for look in LOOKS if look <= len(noise)]:
        found = interval(logs[:look].tolist())
        held = held and found.holds(ratio)
        if bands.settled(found.low, found.high):
            return bands.at(found.middle), held
    return None, held


@pytest.mark.parametrize(
    ("noise", "misses", "wrong"),
    [(independent, 3, 0), (heavy, 3, 0), (lopsided, 3, 0), (bursts, 8, 1), (lasting, 8, 1), (drifting, 4, 0)],
)
def test_bands_are_right_and_intervals_hold_the_truth(
    noise: Callable[[np.random.Generator], Noise], misses: int, wrong: int
) -> None:
    """1,000 regradings each; ``misses`` and ``wrong`` leave room for luck at the rates that are meant."""
    rng = np.random.default_rng(6)
    bands = Bands({0.5: 2, 0.8: 4, 1.0: 5})
    races = [regraded(noise(rng), 0.9, bands) for _ in range(1000)]
    assert sum(not held for _, held in races) <= misses
    assert sum(points not in (4, None) for points, _ in races) <= wrong
    assert sum(points is None for points, _ in races) <= 60
