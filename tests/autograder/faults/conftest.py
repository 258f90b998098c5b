"""Classrooms to disturb, each made once: the tests work on copies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.autograder.faults.classroom import Classroom, grade, mixed, open_classroom

SIZE = int(os.environ.get("MLSYS_FAULT_BATCH", "16"))  # 200 is the full size


@pytest.fixture(scope="session")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """Ungraded, of all kinds."""
    return open_classroom(tmp_path_factory.mktemp("faults") / "classroom", mixed(SIZE))


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """Ungraded, three quick ones."""
    return open_classroom(tmp_path_factory.mktemp("faults") / "few", ["honest", "half", "late"])


@pytest.fixture(scope="session")
def few_graded(few: Classroom, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """The same, graded without any fault."""
    room = few.copy(tmp_path_factory.mktemp("faults") / "graded")
    grade(room)
    return room


@pytest.fixture
def room(few: Classroom, tmp_path: Path) -> Classroom:
    """A copy of ``few`` of the test's own."""
    return few.copy(tmp_path / "room")
