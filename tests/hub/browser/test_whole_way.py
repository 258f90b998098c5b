"""The whole way by clicking: two students and an instructor, from sign-up to feedback and export."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from course.material import read_assignment
from course.reader import read_course
from tests.hub.browser.conftest import Hub, Person

pytestmark = pytest.mark.slow
ASSIGNMENT = "07-autograd"


def right_cells() -> dict[str, str]:
    """The answers of one right file, by question."""
    assignment = read_assignment(read_course(), ASSIGNMENT)
    text = (assignment.solutions / "right" / "composed.py").read_text()
    parts = re.split(r'(?m)^# %% solve="([^"]+)"\n', text)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def test_from_sign_up_to_feedback(
    hub: Hub, person: Callable[[str], Person], tmp_path_factory: pytest.TempPathFactory
) -> None:
    ines, ada, ben = person("ines"), person("ada"), person("ben")
    let_in(hub, ines, ada, ben, tmp_path_factory)
    for student in (ada, ben):
        look_at_the_course(student)
    fetch(ada)
    solve(ada, right_cells())
    check(ada, "All", "visible checks passed")
    submit(ada)
    see_receipt(ada)


def let_in(hub: Hub, ines: Person, ada: Person, ben: Person, folders: pytest.TempPathFactory) -> None:
    """ada signs up and is approved; ben is on the roster."""
    ada.sign_up()
    ada.picture("01-signed-up")
    ines.log_in()
    page = ines.open("hub/authorize")
    page.get_by_role("row", name=re.compile("ada")).get_by_role("button", name="Approve").click()
    ines.picture("02-approval")
    roster = folders.mktemp("roster") / "roster.csv"
    roster.write_text("name,full_name\nben,Ben Bitdiddle\n")
    printed = hub.mlsys("enrol", str(roster), "--json").stdout
    ben.first_login(re.findall(r'"one_time_password": "([^"]+)"', printed)[0])
    ada.log_in()


def look_at_the_course(student: Person) -> None:
    page = student.open("services/course/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    student.picture(f"03-course-{student.name}")


def fetch(student: Person) -> None:
    page = student.open_lab()
    page.get_by_text("Assignment List").first.click()
    row = page.locator("#released_assignments_list .list_item", has_text=ASSIGNMENT)
    row.get_by_role("button", name="Fetch").click()
    downloaded = page.locator("#fetched_assignments_list", has_text=ASSIGNMENT)
    downloaded.wait_for()
    student.picture("04-fetched", full=False)


def open_notebook(student: Person) -> Page:
    page = student.open(f"user/{student.name}/lab/tree/{ASSIGNMENT}/autograd.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    return page


def solve(student: Person, answers: dict[str, str]) -> None:
    """Replaces the text of each stub, found by its NotImplementedError."""
    page = open_notebook(student)
    student.picture("05-notebook", full=False)
    for source in answers.values():
        stub = page.locator(".jp-CodeCell", has_text="raise NotImplementedError").first
        stub.scroll_into_view_if_needed()
        stub.locator(".cm-content").click()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(source)
    page.keyboard.press("ControlOrMeta+s")


def check(student: Person, *words: str) -> None:
    page = student.page
    page.get_by_role("button", name="Check my work").click()
    for word in words:
        expect(page.locator("#mlsys-check")).to_contain_text(word, timeout=120_000)
    student.picture(f"06-checked-{student.name}", full=False)


def submit(student: Person) -> None:
    page = student.page
    page.get_by_text("Assignment List").first.click()
    row = page.locator("#fetched_assignments_list .list_item", has_text=ASSIGNMENT)
    row.get_by_role("button", name="Submit").click()
    page.locator("#submitted_assignments_list", has_text=ASSIGNMENT).wait_for()
    student.picture("07-submitted", full=False)


def see_receipt(student: Person) -> None:
    page = student.open(f"services/course/a/{ASSIGNMENT}")
    expect(page.get_by_text("receipt").first).to_be_visible()
    student.picture(f"08-receipt-{student.name}")
