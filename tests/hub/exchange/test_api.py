"""The JSON API, through the real service process."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hub.exchange.api import ROOT, Api
from hub.exchange.receipts import check_files, check_receipt, receipt_of
from tests.hub.exchange.course import notebook
from tests.hub.exchange.serving import Hub, Service

OPEN = "01-layers"
OVER = "02-kernels"
FUTURE = "03-future"


@pytest.fixture
def student(service: Service, hub: Hub, newcomer: str) -> Iterator[httpx.Client]:
    with service.client(hub.token(newcomer)) as client:
        yield client


@pytest.fixture
def other(service: Service, hub: Hub, newcomer: str) -> Iterator[httpx.Client]:
    with service.client(hub.token(f"{newcomer}-x")) as client:
        yield client


@pytest.fixture
def staff(service: Service, hub: Hub) -> Iterator[httpx.Client]:
    with service.client(hub.token("alan")) as client:
        yield client


def hand_in(client: httpx.Client, text: str = "1", assignment: str = OPEN) -> httpx.Response:
    return client.post(
        f"/assignments/{assignment}/submissions", files=[("file", ("layers.ipynb", notebook(text)))]
    )


def words(response: httpx.Response) -> str:
    found = response.json()
    assert set(found) == {"error", "do"}
    assert all(isinstance(each, str) and each for each in found.values())
    return f"{found['error']}; {found['do']}"


def test_a_submission_gets_a_receipt_that_anyone_can_check(student: httpx.Client, newcomer: str) -> None:
    answer = hand_in(student)
    assert answer.status_code == 200
    receipt = receipt_of(answer.json())
    check_receipt(receipt, student.get("/course").json()["receipt_key"])
    check_files(receipt, {"layers.ipynb": notebook("1")})
    assert receipt.submission.student == newcomer
    again = student.get(f"/submissions/{receipt.submission.id}/receipt")
    assert again.json() == answer.json() == hand_in(student).json()
    files = student.get(f"/submissions/{receipt.submission.id}/files").json()["files"]
    assert [base64.b64decode(each["content"]) for each in files] == [notebook("1")]


def test_students_see_what_is_open_and_staff_see_all(student: httpx.Client, staff: httpx.Client) -> None:
    seen = student.get("/assignments").json()["assignments"]
    assert [each["assignment"] for each in seen] == [OPEN, OVER]
    assert [each["may_submit"] for each in seen] == [True, False]
    assert [each["name"] for each in seen[0]["files"]] == ["layers.ipynb"]
    assert [each["assignment"] for each in staff.get("/assignments").json()["assignments"]] == [
        OPEN,
        OVER,
        FUTURE,
    ]


@pytest.mark.parametrize(
    ("assignment", "status", "says"),
    [(OVER, 403, "closed on"), (FUTURE, 403, "opens on"), ("99-none", 404, "no assignment")],
)
def test_dates_and_names_are_refused_with_words(
    student: httpx.Client, assignment: str, status: int, says: str
) -> None:
    answer = hand_in(student, assignment=assignment)
    assert answer.status_code == status
    assert says in words(answer)


def test_an_extension_opens_a_closed_assignment_for_one(
    student: httpx.Client, other: httpx.Client, staff: httpx.Client, newcomer: str
) -> None:
    student.get("/course")
    path = f"/extensions/{newcomer}/{OVER}"
    granted = staff.put(path, json={"due": "2098-01-01T00:00:00-05:00", "reason": "ill"})
    assert granted.json()["by"] == "alan"
    assert hand_in(student, assignment=OVER).status_code == 200
    assert hand_in(other, assignment=OVER).status_code == 403
    assert staff.delete(path).status_code == 200
    assert hand_in(student, "2", assignment=OVER).status_code == 403
    for due in ("tomorrow", "2098-01-01T00:00:00", ""):
        assert staff.put(path, json={"due": due}).status_code == 422


def test_feedback_is_for_its_student(
    student: httpx.Client, other: httpx.Client, staff: httpx.Client, newcomer: str
) -> None:
    taken = hand_in(student).json()
    given = staff.post(
        f"/assignments/{OPEN}/feedback/{newcomer}",
        params={"sha256": taken["sha256"], "attempt": "1"},
        files=[("file", ("layers.html", b"<p>8</p>"))],
    )
    assert given.status_code == 200
    number = given.json()["id"]
    assert [each["id"] for each in student.get("/feedback").json()["feedback"]] == [number]
    [page] = student.get(f"/feedback/{number}/files").json()["files"]
    assert base64.b64decode(page["content"]) == b"<p>8</p>"
    assert other.get("/feedback").json() == {"feedback": []}
    assert other.get(f"/feedback/{number}/files").status_code == 404


def test_staff_release_withdraw_and_collect(
    service: Service, student: httpx.Client, staff: httpx.Client, newcomer: str
) -> None:
    taken = hand_in(student, assignment=OPEN).json()
    collected = staff.post(f"/assignments/{OPEN}/collect", json={"students": [newcomer]})
    assert collected.json() == {"collected": [{"student": newcomer, "sha256": taken["sha256"]}]}
    assert (service.course_dir / "submitted" / newcomer / OPEN / "layers.ipynb").is_file()
    files = [("file", ("layers.ipynb", notebook("new"))), ("file", ("data/x.csv", b"1"))]
    assert staff.put(f"/assignments/{FUTURE}/release", files=files).status_code == 200
    assert staff.delete(f"/assignments/{FUTURE}/release").status_code == 200
    listed = {each["assignment"]: each for each in staff.get("/assignments").json()["assignments"]}
    assert not listed[FUTURE]["released"]
    assert staff.put(f"/assignments/{FUTURE}/release").status_code == 422
    assert staff.put(f"/assignments/{FUTURE}/release", files=files).status_code == 200
    bad = staff.put(f"/assignments/{FUTURE}/release", files=[("file", ("../x", b""))])
    assert bad.status_code == 422


def test_the_roster_is_staffs(staff: httpx.Client, newcomer: str) -> None:
    person = {"name": newcomer, "role": "student", "full_name": "Ada <b>", "email": "a@b"}
    assert person in staff.put("/roster", json={"roster": [person]}).json()["roster"]
    bads: list[object] = [
        {"roster": [{"name": "../x"}]},
        {"roster": 3},
        [],
        {"roster": [{"name": "x", "role": "god"}]},
    ]
    for bad in bads:
        assert staff.put("/roster", json=bad).status_code == 422


# Role x route. What a student may do is asked about things of another student.

ROUTES: list[tuple[str, str, bool]] = [
    ("GET", "/course", True),
    ("GET", "/assignments", True),
    ("GET", f"/assignments/{OPEN}/files", True),
    ("POST", f"/assignments/{OPEN}/submissions", True),
    ("GET", "/submissions", True),
    ("GET", "/feedback", True),
    ("GET", "/submissions/{theirs}/receipt", False),
    ("GET", "/submissions/{theirs}/files", False),
    ("GET", "/submissions?student={them}", False),
    ("GET", "/feedback?student={them}", False),
    ("GET", "/feedback/{feedback}/files", False),
    ("PUT", f"/assignments/{OPEN}/release", False),
    ("DELETE", f"/assignments/{OPEN}/release", False),
    ("POST", f"/assignments/{OPEN}/collect", False),
    ("POST", f"/assignments/{OPEN}/feedback/{{them}}", False),
    ("GET", "/extensions", False),
    ("PUT", f"/extensions/{{them}}/{OPEN}", False),
    ("DELETE", f"/extensions/{{them}}/{OPEN}", False),
    ("GET", "/roster", False),
    ("PUT", "/roster", False),
]
REFUSED = (403, 404)


@pytest.fixture
def theirs(other: httpx.Client, staff: httpx.Client, newcomer: str) -> dict[str, object]:
    """What another student has."""
    them = f"{newcomer}-x"
    taken = hand_in(other).json()
    given = staff.post(
        f"/assignments/{OPEN}/feedback/{them}",
        params={"sha256": taken["sha256"], "attempt": "1"},
        files=[("file", ("layers.html", b"secret"))],
    )
    return {"theirs": taken["id"], "them": them, "feedback": given.json()["id"]}


@pytest.mark.parametrize(("method", "path", "for_students"), ROUTES)
def test_each_role_reaches_its_routes_and_no_other(
    service: Service,
    student: httpx.Client,
    staff: httpx.Client,
    theirs: dict[str, object],
    method: str,
    path: str,
    for_students: bool,
) -> None:
    url = path.format(**theirs)
    with service.client() as nobody:
        for headers in ({}, {"Authorization": "token " + "0" * 32}, {"Cookie": "service-course=" + "0" * 32}):
            answer = nobody.request(method, f"/api/v1{url}", headers=headers)
            assert answer.status_code == 401
            words(answer)
    answer = student.request(method, url)
    if for_students:
        assert answer.status_code not in (401, *REFUSED)
    else:
        assert answer.status_code in REFUSED
        assert str(theirs["them"]) not in json.dumps(answer.json())
    if method == "GET":
        assert staff.request(method, url).status_code == 200


def test_the_matrix_is_of_all_routes() -> None:
    nothing: Any = None
    routes = Api(nothing, nothing).routes()
    known = {(method, route.path) for route in routes for method in route.methods or () if method != "HEAD"}
    asked = {(method, shape(path)) for method, path, _ in ROUTES}
    assert asked == {(method, shape(path.removeprefix(ROOT))) for method, path in known}


def shape(path: str) -> str:
    """A route without what varies in it."""
    return re.sub(rf"{{[^/]*}}|{OPEN}", "*", path.split("?")[0])


def test_a_cookie_is_never_enough_for_the_api(service: Service, hub: Hub, newcomer: str) -> None:
    with service.client() as browser:
        browser.cookies.set("service-course", hub.token(newcomer))
        assert browser.get("/api/v1/course").status_code == 401


def test_too_many_submissions_are_slowed_down(student: httpx.Client) -> None:
    answers = [hand_in(student, "same") for _ in range(25)]
    assert {each.status_code for each in answers} == {200, 429}
    slowed = answers[-1]
    assert int(slowed.headers["Retry-After"]) >= 1
    assert "Wait" in words(slowed)


def test_submitting_at_once_gives_numbers_of_their_own(student: httpx.Client) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda text: hand_in(student, text), "abc"))
    assert sorted(each.json()["number"] for each in answers) == [1, 2, 3]


def test_unknown_routes_and_methods_are_json(student: httpx.Client) -> None:
    for ask, status in ((student.get, 404), (student.delete, 404)):
        answer = ask("/nothing")
        assert answer.status_code == status
        words(answer)
    assert student.delete("/course").status_code == 405


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 422),
        ({"Content-Type": "multipart/form-data"}, b"", 422),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"", 422),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\nnonsense\r\n\r\n--x--\r\n", 422),
        ({}, b"", 422),
    ],
)
def test_bodies_that_are_no_upload_are_refused(
    student: httpx.Client, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = student.post(f"/assignments/{OPEN}/submissions", content=body, headers=headers)
    assert answer.status_code == status
    words(answer)
