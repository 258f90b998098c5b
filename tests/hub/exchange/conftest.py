"""An exchange on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role
from tests.hub.exchange.course import FIRST, Hands, notebook, small_course


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty database; None for the default in the course directory."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def exchange(tmp_path: Path, hands: Hands, database: str | None) -> Iterator[Exchange]:
    """Ada and Grace are students, Alan teaches; the first assignment is out."""
    course_dir = tmp_path / "course"
    course_dir.mkdir()
    with Exchange(small_course(tmp_path), course_dir, database=database, clock=hands) as opened:
        opened.enrol([Member("ada"), Member("grace"), Member("alan", Role.INSTRUCTOR)])
        opened.release(FIRST, {"layers.ipynb": notebook("# your answer")})
        yield opened
