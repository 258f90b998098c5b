"""Fixtures that several rooms' tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.judge import Court
from tests.browser import chromium
from tests.postgres import postgres, postgres_url

__all__ = ["chromium", "postgres", "postgres_url"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: a broken rule shows in seconds, not after the demo."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session")
def court() -> Iterator[Court]:
    """One judge process for the whole run, as a batch has."""
    with Court() as opened:
        yield opened
