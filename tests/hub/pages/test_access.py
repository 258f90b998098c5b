"""Who may open what: every route against every kind of visitor."""

from __future__ import annotations

import pytest

from hub.pages.links import PATHS
from hub.pages.routes import TABLE, page_routes
from tests.hub.pages.school import School

# name: (anonymous, the student whose it is, another student, an instructor)
PAGE, STAFF, FORM = (302, 200, 200, 200), (302, 403, 403, 200), (401, 403, 403, 303)
EXPECTED = {
    "course": PAGE,
    "assignment": PAGE,
    "assignment_events": PAGE,
    "receipt": (302, 200, 404, 404),
    "handed_in": (302, 200, 404, 404),
    "feedback": (302, 200, 404, 404),
    "staff": STAFF,
    "roster": STAFF,
    "staff_assignment": STAFF,
    "staff_student": STAFF,
    "staff_receipt": STAFF,
    "staff_handed_in": STAFF,
    "staff_feedback": STAFF,
    "grade": FORM,
    "regrade": FORM,
    "give_back": FORM,
    "push": FORM,
    "collect": FORM,
    "release": FORM,
    "withdraw": FORM,
    "extend": FORM,
    "end_extension": FORM,
    "jobs": STAFF,
    "job": STAFF,
    "job_events": STAFF,
    "stop": FORM,
    "export": STAFF,
    "export_table": STAFF,
    "static": (200, 200, 200, 200),
}
VISITORS = ("", "ada", "grace", "alan")
METHODS = {page.name: page.method for page in TABLE}


@pytest.fixture
def busy(school: School, monkeypatch: pytest.MonkeyPatch) -> School:
    """Ada has submitted, was graded and has her feedback; a job has run."""
    monkeypatch.setattr("hub.pages.jobs.MLSYS", ("true",))
    school.submit("ada")
    school.grade()
    school.give_back()
    return school


def paths(school: School, job: str) -> dict[str, str]:
    """An address for each route, all about Ada."""
    returned = school.exchange.returned("ada")[0].id
    parts = {
        "assignment": "layers", "number": 1, "student": "ada", "job": job, "table": "grades",
        "returned": returned,
    }  # fmt: skip
    names = {"handed_in": "layers.ipynb", "staff_handed_in": "layers.ipynb", "static": "pages.css"}
    return {page: path.format(**parts, name=names.get(page, "layers.html")) for page, path in PATHS.items()}


def test_every_route_has_a_row(school: School) -> None:
    names = {route.name for route in page_routes(school.exchange)}  # type: ignore[attr-defined]  # all are Routes
    assert names == set(EXPECTED) == set(PATHS)
    assert names == {page.name for page in TABLE} | {"static"}


@pytest.mark.parametrize("place", range(len(VISITORS)), ids=["anonymous", "own", "other", "instructor"])
def test_each_visitor_reaches_what_is_theirs_and_nothing_else(busy: School, place: int) -> None:
    staff = busy.visitor("alan")
    job = staff.post("/staff/a/layers/give-back").headers["location"].rpartition("/")[2]
    visitor = busy.visitor(VISITORS[place])
    found = {}
    for name, path in paths(busy, job).items():
        if METHODS.get(name) == "POST":
            fields = {"student": "ada", "due": "2026-09-05T12:00"}
            if name == "regrade":
                wait_for(staff, job)
            answer = visitor.post(path, **fields)
        else:
            answer = visitor.get(path)
        found[name] = answer.status_code
        if answer.status_code == 303 and "/staff/jobs/" in answer.headers["location"]:
            wait_for(staff, answer.headers["location"].partition("?")[0].rpartition("/")[2])
    assert found == {name: row[place] for name, row in EXPECTED.items()}


def wait_for(staff: object, job: str) -> None:
    """Until a job has ended: its events come to their end then."""
    assert staff.get(f"/staff/jobs/{job}/events").status_code == 200  # type: ignore[attr-defined]  # a Visitor


@pytest.mark.parametrize(
    "path",
    [
        "/a/nothing",
        "/a/layers/receipts/2",
        "/a/layers/receipts/x",
        "/a/layers/submissions/1/other.ipynb",
        "/a/layers/submissions/1/..%2f..%2fgradebook.db",
        "/a/kernels/receipts/1",
        "/a/nothing/events",
        "/a/layers/feedback/99/layers.html",
        "/a/layers/feedback/1/..%2fgradebook.db",
        "/static/..%2froutes.py",
        "/static/pages.py",
    ],
)
def test_what_is_not_there_is_not_found(busy: School, path: str) -> None:
    assert busy.visitor("ada").get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/staff/a/nothing",
        "/staff/s/nobody",
        "/staff/s/grace/a/layers/receipts/1",
        "/staff/jobs/nothing",
        "/staff/jobs/..%2f..%2fsource",
        "/staff/jobs/20260101T000000-grade-00000000",
        "/staff/jobs/20260101T000000-grade-00000000/events",
        "/staff/export/secrets.csv",
    ],
)
def test_staff_find_nothing_that_is_not_there(busy: School, path: str) -> None:
    assert busy.visitor("alan").get(path).status_code == 404


@pytest.mark.parametrize(
    "page", [page for page in TABLE if page.method == "POST"], ids=lambda page: page.name
)
def test_a_form_of_another_page_does_nothing(busy: School, page: object) -> None:
    path = PATHS[page.name].format(assignment="layers", job="x")  # type: ignore[attr-defined]  # a Page
    alan, fields = busy.visitor("alan"), {"student": "ada", "due": "2026-09-05T12:00"}
    for token in ("", "0" * 64, busy.visitor("grace").token()):
        assert alan.post_raw(path, {**fields, "_xsrf": token}).status_code == 403
    ours = {**fields, "_xsrf": alan.token()}
    assert alan.post_raw(path, ours, origin="https://elsewhere.example").status_code == 403
    assert alan.get(path).status_code == 405
    assert busy.exchange.extensions() == ()


def test_events_need_the_token_of_the_page_where_a_script_asks(busy: School) -> None:
    alan = busy.visitor("alan")
    job = alan.post("/staff/a/layers/give-back").headers["location"].rpartition("/")[2]
    by_script = {"sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}
    assert alan.get(f"/staff/jobs/{job}/events", **by_script).status_code == 403
    assert alan.get(f"/staff/jobs/{job}/events?_xsrf={alan.token()}", **by_script).status_code == 200
