"""A course with an exchange, a platform on the loopback, and the launch that made them known to each other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.tree import STATE
from hub.exchange.exchange import Exchange
from hub.lti.keys import FILE, tool_keys
from tests.autograder.conftest import course, released_course
from tests.hub.exchange.course import small_course
from tests.hub.lti.classroom import Classroom
from tests.hub.lti.platform import Platform, class_of
from tests.hub.lti.room import Room

STUDENTS = 5

__all__ = ["classroom", "course", "exchange", "keys_file", "platform", "released_course", "room"]


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tool key as the first use leaves it: making one takes a while."""
    folder = tmp_path_factory.mktemp("keys")
    tool_keys(folder)
    return folder / STATE / FILE


@pytest.fixture
def exchange(tmp_path: Path, keys_file: Path) -> Iterator[Exchange]:
    course_dir = tmp_path / "course"
    (course_dir / STATE).mkdir(parents=True)
    shutil.copy(keys_file, course_dir / STATE)
    with Exchange(small_course(tmp_path), course_dir) as opened:
        yield opened


@pytest.fixture
def platform(exchange: Exchange) -> Iterator[Platform]:
    """Five learners and a teacher."""
    keys = tool_keys(exchange.course_dir).jwks()
    with Platform(lambda: keys, class_of(STUDENTS)) as started:
        yield started


@pytest.fixture
def room(exchange: Exchange, platform: Platform) -> Room:
    made = Room(exchange, platform)
    made.launch()
    return made


@pytest.fixture
def classroom(course: Path, keys_file: Path) -> Iterator[Classroom]:
    """Five graded students, a course directory that nbgrader has released."""
    (course / STATE).mkdir(exist_ok=True)
    shutil.copy(keys_file, course / STATE)
    keys = tool_keys(course).jwks()
    with Platform(lambda: keys, class_of(STUDENTS)) as started:
        made = Classroom(course, started)
        made.set_up()
        yield made
