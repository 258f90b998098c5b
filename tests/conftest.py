"""Fixtures that several rooms' tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from autograder.judge import Court
from tests.browser import chromium
from tests.postgres import postgres, postgres_url

__all__ = ["chromium", "postgres", "postgres_url"]

# How long an example takes says what else this machine does. Each run tries the same examples, so that its
# result is the commit's; `--hypothesis-profile=explore` tries others.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", settings.get_profile("explore"), derandomize=True)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: a broken rule shows in seconds, not after the demo. Of the others the longest first."""
    items.sort(key=lambda item: (marked(item, "slow"), not marked(item, "long")))


def marked(item: pytest.Item, name: str) -> bool:
    return item.get_closest_marker(name) is not None


@pytest.fixture(scope="session")
def court() -> Iterator[Court]:
    """One judge process for the whole run, as a batch has."""
    with Court() as opened:
        yield opened
