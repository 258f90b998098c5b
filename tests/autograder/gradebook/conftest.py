"""Every test of the gradebook that has a course directory runs twice: on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.gradebook import FILE, gradebook_url
from tests.autograder.conftest import CONFIG, nbgrader
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def released_database(
    postgres: Postgres, released_course: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The database in which the stock nbgrader has released "layers", to be copied."""
    name = postgres.create()
    course = shutil.copytree(released_course, tmp_path_factory.mktemp("postgres") / "course")
    move(course, postgres.url(name))
    nbgrader(course, "generate_assignment", "layers", "--force")
    return name


@pytest.fixture(params=["sqlite", "postgres"])
def course(request: pytest.FixtureRequest, released_course: Path, tmp_path: Path) -> Iterator[Path]:
    """A released course directory of the test's own, its gradebook on each kind of database."""
    folder = shutil.copytree(released_course, tmp_path / "course")
    if request.param == "sqlite":
        yield folder
        return
    template: str = request.getfixturevalue("released_database")
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(template)
    move(folder, server.url(name))
    yield folder
    server.drop(name)


def move(course: Path, url: str) -> None:
    """Names another database in a course directory, for us and for the stock nbgrader."""
    (course / FILE).write_text(f"{url}\n")
    (course / "gradebook.db").unlink()
    (course / "nbgrader_config.py").write_text(
        f"{CONFIG}c.CourseDirectory.db_url = {gradebook_url(course)!r}\n"
    )
