from __future__ import annotations

import pytest

from course.lateness import DAY_SECONDS, late_penalty
from course.records import Late

LATE = Late(grace_minutes=15, percent_per_day=10, cutoff_days=5)
GRACE = 15 * 60


@pytest.mark.parametrize(
    ("seconds", "lost"),
    [
        (-3600, 0),
        (0, 0),
        (GRACE, 0),
        (GRACE + 1, 8),
        (GRACE + DAY_SECONDS, 8),
        (GRACE + DAY_SECONDS + 1, 16),
        (GRACE + 5 * DAY_SECONDS, 40),
        (GRACE + 5 * DAY_SECONDS + 1, 80),
    ],
)
def test_each_begun_day_after_the_grace_costs_a_part(seconds: float, lost: float) -> None:
    assert late_penalty(LATE, seconds, 80) == pytest.approx(lost)


def test_lateness_never_costs_more_than_there_is() -> None:
    assert late_penalty(Late(0, 100, 366), 9 * DAY_SECONDS, 50) == 50


def test_a_course_may_ignore_lateness() -> None:
    assert late_penalty(Late(0, 0, 366), 9 * DAY_SECONDS, 50) == 0
