"""What works inside the boxes of users' servers: the formgrader's button, and `mlsys check` in a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from autograder.gradebook import take_in
from course.compose import compose_submission
from course.material import read_assignment
from course.notebook import notebook_bytes
from course.reader import read_course
from hub.coursework import open_gradebook
from tests.hub.browser.conftest import Hub, Person

pytestmark = [pytest.mark.slow, pytest.mark.long]
ASSIGNMENT = "07-autograd"
GRADING_MS = 240_000
SECONDS = 400.0


def hand_in(course_dir: Path, student: str) -> None:
    """The reference, as a student's submission."""
    notebook = notebook_bytes(compose_submission(read_assignment(read_course(), ASSIGNMENT)))
    receipt = take_in(
        course_dir, student, ASSIGNMENT, {"autograd.ipynb": notebook}, clock=lambda: datetime.now(UTC)
    )
    with open_gradebook(course_dir) as gradebook:
        gradebook.record_submission(receipt)


def words_of(file: Path) -> str:
    """What a command wrote, once it has written its exit code."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        words = file.read_text() if file.is_file() else ""
        if "exit " in words:
            return words
        time.sleep(0.2)
    raise AssertionError(f"{file} isn't there")


def test_an_instructors_server_grades_and_checks(hub: Hub, person: Callable[[str], Person]) -> None:
    course_dir = hub.state / "course"
    hand_in(course_dir, "ada")
    ines = person("ines")
    ines.log_in()
    page = ines.open_lab()
    page.locator(".jp-LauncherCard", has_text="Terminal").click()
    page.locator(".jp-Terminal").click()
    command = (
        "mlsys check course/release/07-autograd/autograd.ipynb > said.txt 2>&1; echo exit $? >> said.txt"
    )
    page.keyboard.type(f"{command}\n")
    said = words_of(hub.state / "homes" / "ines" / "said.txt")
    assert "0 of 23 visible checks passed" in said and said.endswith("exit 1\n")
    ines.open(f"user/ines/formgrader/manage_submissions/{ASSIGNMENT}")
    page.locator("tr").filter(has=page.get_by_text("ada", exact=True)).locator(".autograde a").click()
    expect(page.locator(".modal-dialog")).to_contain_text("Successfully autograded", timeout=GRADING_MS)
    ines.picture("formgrader")
    with open_gradebook(course_dir) as gradebook:
        assert [each.points for each in gradebook.attempts("ada", ASSIGNMENT)] == [100]
    assert ines.complaints == []
