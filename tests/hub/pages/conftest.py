"""A school for each test: a released course directory, an exchange, pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role
from tests.autograder.conftest import course, released_course
from tests.hub.pages.school import NOW, School, small_course

__all__ = ["course", "released_course", "school"]


@pytest.fixture
def school(course: Path, tmp_path: Path) -> Iterator[School]:
    now = [NOW]
    with Exchange(small_course(tmp_path), course, clock=lambda: now[0]) as exchange:
        exchange.enrol(
            [
                Member("ada", full_name="Ada Lovelace", email="ada@example.org"),
                Member("grace", full_name="Grace Hopper"),
                Member("alan", Role.INSTRUCTOR, "Alan Turing"),
            ]
        )
        exchange.release("layers")
        yield School(course, exchange, now)
