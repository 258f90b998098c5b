"""As root: the hostile submissions once more where all boxes are an ordinary user's."""

from __future__ import annotations

import os

import pytest

from tests.autograder.sandbox.test_ordinary_user import run_again

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs them as they are"),
]


def test_attacks_get_the_same_where_boxes_are_an_ordinary_users() -> None:
    run_again("tests/autograder/test_attacks.py")


@pytest.mark.lane
def test_forgeries_of_speed_get_the_same_there_too() -> None:
    run_again("tests/autograder/test_speed_attacks.py")
