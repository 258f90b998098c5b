"""Fixtures that several rooms' tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.judge import Court


@pytest.fixture(scope="session")
def court() -> Iterator[Court]:
    """One judge process for the whole run, as a batch has."""
    with Court() as opened:
        yield opened
