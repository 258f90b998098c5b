"""As root: the hostile submissions once more where all boxes are an ordinary user's."""

from __future__ import annotations

import os

import pytest

from tests.autograder.sandbox.test_ordinary_user import run_again

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs them as they are"),
]


# Forgeries that a control group's counters answer, and that something else must answer without one.
RESTING_ON_GROUPS = (
    "child",
    "continued",
    "fork_chase",
    "gives_way",
    "helper_process",
    "many_",
    "spinner",
    "vfork",
    "honest",
)


def test_attacks_get_the_same_where_boxes_are_an_ordinary_users() -> None:
    run_again("tests/autograder/test_attacks.py")


@pytest.mark.lane
def test_forgeries_of_speed_get_the_same_there_too() -> None:
    run_again("tests/autograder/test_speed_attacks.py", "-k", " or ".join(RESTING_ON_GROUPS))
