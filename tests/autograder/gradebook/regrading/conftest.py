"""What the stock nbgrader makes of other questions, and a gradebook to regrade."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.gradebook import Gradebook
from autograder.gradebook.folders import notebook_bytes
from autograder.gradebook.regrading import Ledger, read_ledger
from course.gradebook import gradebook_url
from tests.autograder.conftest import CONFIG, nbgrader
from tests.autograder.gradebook.gradings import grading, open_gradebook
from tests.autograder.gradebook.regrading.questions import old_result, other_questions


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The cells of ``other_questions``, as the stock nbgrader releases them."""
    course = tmp_path_factory.mktemp("other")
    (course / "source" / "layers").mkdir(parents=True)
    (course / "source" / "layers" / "layers.ipynb").write_bytes(notebook_bytes(other_questions()))
    (course / "nbgrader_config.py").write_text(CONFIG)
    nbgrader(course, "generate_assignment", "layers")
    with Gradebook(gradebook_url(course), course) as book, book.database.reading() as session:
        return read_ledger(session, "layers")


@pytest.fixture
def graded(course: Path) -> Path:
    """ada has 12 points, bob 6 (nothing for check-layer), cid an unreadable notebook; essays wait."""
    with open_gradebook(course) as book:
        book.record_attempt(grading(old_result()))
        book.record_attempt(grading(old_result(check_layer=0), student="bob"))
        book.record_attempt(grading(problem="layers.ipynb is empty.", student="cid"))
    return course


@pytest.fixture
def book(graded: Path) -> Iterator[Gradebook]:
    with open_gradebook(graded) as opened:
        yield opened
