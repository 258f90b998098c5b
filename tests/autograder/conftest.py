"""A course directory that the stock nbgrader has released, made once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from autograder.gradebook.folders import notebook_bytes
from tests.autograder.notebooks import two_questions
from tests.stock import stock_nbgrader

CONFIG = (
    'c = get_config()\nc.CourseDirectory.course_id = "demo"\nc.ClearSolutions.code_stub = {"python": ""}\n'
)


def nbgrader(course: Path, *words: str) -> str:
    """Runs the stock nbgrader in a process of its own; returns what it wrote, fails if it failed."""
    done = stock_nbgrader(course, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def released_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course directory to copy: the assignment "layers" with one notebook, released."""
    course = tmp_path_factory.mktemp("released")
    (course / "source" / "layers").mkdir(parents=True)
    (course / "source" / "layers" / "layers.ipynb").write_bytes(notebook_bytes(two_questions()))
    (course / "nbgrader_config.py").write_text(CONFIG)
    nbgrader(course, "generate_assignment", "layers")
    return course


@pytest.fixture
def course(released_course: Path, tmp_path: Path) -> Path:
    """A released course directory of the test's own."""
    return shutil.copytree(released_course, tmp_path / "course")


@pytest.fixture
def source() -> NotebookNode:
    """The source notebook of "layers"."""
    return two_questions()


@pytest.fixture
def released_notebook(course: Path) -> NotebookNode:
    """The notebook that nbgrader gives to students."""
    path = course / "release" / "layers" / "layers.ipynb"
    read: NotebookNode = nbformat.read(path, 4)
    return read
