"""An exchange on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.reader import read_course
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role
from tests.hub.exchange.course import FIRST, Hands, notebook, small_course
from tests.hub.exchange.serving import Hub, Service


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


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    with Hub() as opened:
        yield opened


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[Service]:
    """The real service process; alan teaches, the first and the third assignment are out."""
    with Service(tmp_path_factory.mktemp("service"), hub) as started:
        with Exchange(read_course(started.course_file), started.course_dir) as opened:
            opened.enrol([Member("alan", Role.INSTRUCTOR)])
            for assignment in ("01-layers", "02-kernels", "03-future"):
                opened.release(assignment, {"layers.ipynb": notebook("# your answer")})
        yield started


@pytest.fixture
def newcomer() -> str:
    """A student whom no other test knows."""
    return f"student-{uuid.uuid4().hex[:12]}"
