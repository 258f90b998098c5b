"""Real races of kernels that do known multiples of work: the interval holds the truth.

A short form of ``python -m benchmarks.races coverage``. Of nine races one may miss, which a right interval does
about once in three thousand runs of this test.
"""

from __future__ import annotations

import pytest

from autograder.speed.lane import lane
from benchmarks.races import UNITS, Field, one

FACTORS = (1.0, 1.5, 2.0)
RACES = 9


@pytest.mark.slow
@pytest.mark.lane
def test_the_interval_holds_the_true_ratio_of_boxed_kernels() -> None:
    units = [round(UNITS * factor) for factor in FACTORS]
    with lane() as cpus:
        with Field(cpus, units, 1000) as field:
            field.size_for(0.005)
        rows = []
        for n in range(RACES):  # in boxes of its own each, as two of them may differ for as long as they live
            with Field(cpus, units, field.size) as each:
                rows.append(one(each, units[n % len(units)], "idle", n))
    measured = [row for row in rows if not row["noisy"]]
    assert len(measured) >= RACES - 3, "this host is too noisy to say anything"
    assert sum(not row["holds"] for row in measured) <= 1, [
        (row["truth"], row["low"], row["high"]) for row in measured
    ]
