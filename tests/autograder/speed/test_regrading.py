"""The simulation of regradings: on noise with known answers, and as a command."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.regrading import BANDS, Noise, bounds, made_up_races, main, regrade, true_ratio


def test_bounds_of_a_rate_are_exact() -> None:
    assert bounds(0, 1000) == pytest.approx((0, 1 - 0.025 ** (1 / 1000)))
    assert bounds(1000, 1000) == pytest.approx((0.025 ** (1 / 1000), 1))
    low, high = bounds(7, 50)
    upper = sum(math.comb(50, k) * low**k * (1 - low) ** (50 - k) for k in range(7, 51))
    lower = sum(math.comb(50, k) * high**k * (1 - high) ** (50 - k) for k in range(8))
    assert (upper, lower) == pytest.approx((0.025, 0.025))


def test_true_ratios_keep_their_distance_from_every_threshold() -> None:
    rng = np.random.default_rng(0)
    ratios = [true_ratio(0.2, rng) for _ in range(100)]
    apart = [abs(math.log(ratio / mark)) for ratio in ratios for mark, _ in BANDS.marks]
    assert min(apart) > math.log(1.199)


def test_regradings_under_made_up_noise_get_the_band_of_the_truth() -> None:
    rng = np.random.default_rng(1)
    noise = Noise(made_up_races(rng), block=20)
    regraded = [regrade(noise, true_ratio(0.05, rng), rng) for _ in range(1000)]
    assert sum(not each.right for each in regraded) <= 1
    assert sum(not each.covered for each in regraded) <= 8


def test_a_race_whose_offset_is_beyond_the_distance_is_found_wrong() -> None:
    rng = np.random.default_rng(2)
    offset = math.log(1.1) + 0.001 * rng.normal(size=200)
    assert not any(regrade(Noise((offset,), block=5), 0.48, rng).right for _ in range(20))


def test_blocks_of_one_race_stay_together() -> None:
    noise = Noise((np.arange(50.0), np.arange(100.0, 150.0)), block=10)
    drawn = noise.race(np.random.default_rng(3))
    blocks = drawn[:800].reshape(-1, 10)
    assert {*np.unique(drawn >= 100)} in ({True}, {False})
    assert all(set(np.diff(block)) <= {1.0, -49.0} for block in blocks)


def test_the_command_reads_recorded_races(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(4)
    races = [np.exp(0.02 * rng.normal(size=(60, 2))).tolist() for _ in range(3)]
    file = tmp_path / "races.json"
    file.write_text(json.dumps(races))
    assert main(["--samples", str(file), "--regradings", "50"]) == 0
    printed = capsys.readouterr().out
    assert "3 races of recorded noise" in printed and "5%" in printed


@pytest.mark.parametrize("text", ["", "[]", "[[[1, 2]]]", "[[1, 2]]", json.dumps([[[1, 0]] * 20])])
def test_a_file_of_something_else_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "races.json"
    file.write_text(text)
    assert main(["--samples", str(file)]) == 2
    assert capsys.readouterr().err
