"""An instructor's JupyterLab: the formgrader's Autograde button grades through the course service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine

from autograder.gradebook import take_in
from hub.coursework import open_gradebook
from hub.exchange.records import Role
from hub.lab.formgrader import wait_for_locks
from tests.hub.checks.conftest import ID
from tests.hub.checks.test_checker import ABS
from tests.hub.lab.conftest import TOKEN, Lab, Service, during_term, running_lab
from tests.hub.lab.test_lab import shot

pytestmark = pytest.mark.slow

GRADING_MS = 120_000
get, post = partial(httpx.get, timeout=60), partial(httpx.post, timeout=60)


@pytest.fixture(scope="module")
def instructor(service: Service) -> Iterator[Lab]:
    course_dir = service.released.course_dir
    for name, answer in (("ama", {}), ("ben", {"relu": ABS})):
        files = {"relu.ipynb": service.released.written(**answer)}
        receipt = take_in(course_dir, name, ID, files, clock=during_term)
        with open_gradebook(course_dir) as gradebook:
            gradebook.record_submission(receipt)
    place = {"MLSYS_COURSE_DIR": str(course_dir)}
    with running_lab(service, course_dir.parent, Role.INSTRUCTOR, "staff", **place) as lab:
        yield lab


def autograde(lab: Lab, page: Page, student: str) -> None:
    """Presses the button in the row of a student."""
    page.goto(f"{lab.url}login?token={TOKEN}")
    page.goto(f"{lab.url}formgrader/manage_submissions/{ID}")
    row = page.locator("tr").filter(has=page.get_by_text(student, exact=True))
    row.locator(".autograde a").click()


def test_the_button_grades_with_our_judge(instructor: Lab, page: Page) -> None:
    autograde(instructor, page, "ben")
    modal = page.locator(".modal-dialog")
    expect(modal).to_contain_text("Successfully autograded", timeout=GRADING_MS)
    expect(modal).to_contain_text("ben 01-relu: WRONG, 80 of 100 points")
    shot(page, "formgrader-autograded")
    with open_gradebook(instructor.service.released.course_dir) as gradebook:
        points = {each.student: each.points for each in gradebook.attempts(assignment=ID)}
    assert points == {"ben": 80}


def test_what_goes_wrong_is_said_in_the_dialog(instructor: Lab, page: Page) -> None:
    page.route("**/autograde", lambda route: route.continue_(url=route.request.url.replace("ama", "a%20b")))
    autograde(instructor, page, "ama")
    expect(page.locator(".modal-dialog")).to_contain_text("is not a student id", timeout=GRADING_MS)


def test_the_formgrader_is_there_for_instructors(instructor: Lab, page: Page) -> None:
    instructor.open(page)
    page.get_by_role("menuitem", name="Nbgrader").click()
    expect(page.get_by_role("menuitem", name="Formgrader", exact=True)).to_be_visible()


def test_only_staff_may_have_work_graded(service: Service) -> None:
    url = f"{service.url}/api/v1/assignments/{ID}/autograde"
    for token, status in (("ama", 403), ("no-name", 401)):
        answer = post(url, headers={"Authorization": f"token {token}"}, content=b"{}")
        assert answer.status_code == status
    assert post(url, content=b"{}").status_code == 401


@pytest.mark.parametrize("body", [[], {"students": "ama"}, {"students": [1]}, {"students": ["--help"]}])
def test_an_order_that_is_none_is_refused(service: Service, body: object) -> None:
    url = f"{service.url}/api/v1/assignments/{ID}/autograde"
    answer = post(url, headers={"Authorization": "token staff"}, content=json.dumps(body))
    assert answer.status_code == 422


def test_students_have_no_formgrader(student: Lab) -> None:
    answer = get(f"{student.url}formgrader", params={"token": TOKEN}, follow_redirects=True)
    assert answer.status_code == 404


def test_nbgraders_validate_button_asks_our_judge(student: Lab) -> None:
    student.write(f"{ID}/relu.ipynb", student.service.released.written(relu=ABS))
    answer = post(
        f"{student.url}assignments/validate",
        headers={"Authorization": f"token {TOKEN}"},
        json={"path": f"{ID}/relu.ipynb"},
        timeout=60,
    )
    failed = answer.json()["value"]["failed"]
    assert [each["source"] for each in failed] == ["# relu"]
    assert "assert np.asarray" in failed[0]["raw_error"]


@pytest.mark.parametrize("path", ["../../etc/passwd.ipynb", "nothing.ipynb", "notes.txt", 7, None])
def test_paths_mean_what_jupyter_says(student: Lab, path: object) -> None:
    answer = post(
        f"{student.url}mlsys/check", headers={"Authorization": f"token {TOKEN}"}, json={"path": path}
    )
    assert answer.status_code in (403, 404, 422)


def test_a_check_needs_jupyters_login(student: Lab) -> None:
    assert post(f"{student.url}mlsys/check", json={"path": "x.ipynb"}).status_code == 403


def test_nbgraders_connections_wait_for_locks(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'gradebook.db'}")
    wait_for_locks(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    engine.dispose()
