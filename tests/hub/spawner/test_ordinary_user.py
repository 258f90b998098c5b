"""As root: the tests of users' servers once more as an ordinary user, whose hub has user namespaces."""

from __future__ import annotations

import os

import pytest

from tests.autograder.sandbox.test_ordinary_user import run_again


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs them as they are")
def test_servers_of_an_ordinary_users_hub_hold_too() -> None:
    run_again("tests/hub/spawner/test_keeper.py")
