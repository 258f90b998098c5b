"""What students write comes out as text, and headers say what a page may do."""

from __future__ import annotations

import re

import pytest

from autograder.errors import PlatformError
from autograder.gradebook import Gradebook
from autograder.judge import CheckResult, NotebookResult, Verdict
from hub.exchange.records import Member
from hub.pages.queries import Records
from tests.autograder.gradebook.gradings import result
from tests.hub.pages.school import PWN, School

OK, WRONG = Verdict.OK, Verdict.WRONG
ALLOWED_SCRIPTS = 1


@pytest.fixture
def hostile(school: School) -> School:
    """Names, messages, reasons and problems that try to act."""
    school.exchange.enrol([Member("ada", full_name=PWN, email=PWN), Member("eve", full_name=f"</td>{PWN}")])
    school.submit("ada", name="it's (a) file.ipynb")
    checks = (CheckResult("check-relu", "relu", WRONG, 0, 4, PWN), *result().checks[1:])
    school.grade(NotebookResult(checks))
    school.give_back(titles={"relu": PWN})
    school.submit("eve")
    school.grade(student="eve", problem=PWN)
    school.exchange.extend(
        "eve", "layers", school.exchange.due("eve", "layers").replace(year=2027), by=PWN, reason=PWN
    )
    return school


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ada", "/"),
        ("ada", "/a/layers"),
        ("alan", "/staff"),
        ("alan", f"/staff/a/layers?q={PWN}"),
        ("alan", "/staff/a/layers"),
        ("alan", "/staff/s/ada"),
        ("alan", "/staff/s/eve"),
        ("alan", "/staff/roster"),
        ("alan", f"/staff/roster?q={PWN}"),
        ("alan", "/staff/export"),
        ("alan", f"/staff?said={PWN}"),
    ],
)
def test_nothing_that_a_student_wrote_acts(hostile: School, name: str, path: str) -> None:
    sheet = hostile.visitor(name).page(path)
    assert "window.pwned" not in "".join(
        str(attributes) for tag, attributes in sheet.elements if tag != "input"
    )
    assert len(sheet.all("script")) == ALLOWED_SCRIPTS
    assert all(each["src"].endswith(".svg") or "mark.svg" in each["src"] for each in sheet.all("img"))
    assert not [key for _, attributes in sheet.elements for key in attributes if key.startswith("on")]
    assert not [1 for _, attributes in sheet.elements if "style" in attributes]


def test_hostile_words_are_shown_as_words(hostile: School) -> None:
    assert hostile.visitor("ada").page("/a/layers").text.count("window.pwned = 1") >= 2
    assert "window.pwned = 1" in hostile.visitor("alan").page("/staff/a/layers").text


def test_scripts_and_styles_need_the_nonce_of_their_page(school: School) -> None:
    first, second = (school.visitor("ada").get("/") for _ in range(2))
    policy = first.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
    assert nonce is not None
    assert (
        first.text.count(f'nonce="{nonce[1]}"')
        == len(re.findall("<script|<link rel=.stylesheet", first.text))
        > 2
    )
    assert nonce[1] not in second.text
    for rule in ("default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/", "/a/layers", "/a/layers/receipts/1", "/a/layers/submissions/1/layers.ipynb"]
)
def test_personal_answers_are_kept_by_no_cache(school: School, path: str) -> None:
    school.submit()
    headers = school.visitor("ada").get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_a_feedback_page_is_in_a_cage_and_anything_else_is_a_download(school: School) -> None:
    files = {"layers.html": PWN.encode(), "evil.svg": b"<svg onload=alert(1)>", "result.json": b"{}"}
    given = school.exchange.give_back("ada", "layers", files, sha256="0" * 64, attempt=1)
    ada = school.visitor("ada")
    page = ada.get(f"/a/layers/feedback/{given.id}/layers.html")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow-scripts" not in policy and "script-src" not in policy
    for name in ("evil.svg", "result.json"):
        answer = ada.get(f"/a/layers/feedback/{given.id}/{name}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")


def test_a_failure_of_ours_tells_students_nothing_of_the_inside(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Records) -> Gradebook | None:
        raise PlatformError("the gradebook sqlite:////srv/course/gradebook.db failed")

    monkeypatch.setattr(Records, "gradebook", broken)
    answer = school.visitor("ada").get("/")
    assert answer.status_code == 503
    assert "/srv/course" not in answer.text and "Nothing was lost" in answer.text
    assert "/srv/course" in school.visitor("alan").get("/staff").text


def test_words_after_a_form_are_ours_alone(school: School) -> None:
    assert "Call this number" not in school.visitor("alan").page("/staff?said=Call+this+number").text


def test_a_huge_or_strange_form_is_refused(school: School) -> None:
    alan = school.visitor("alan")
    many = {f"f{number}": "x" for number in range(2000)}
    assert alan.post("/staff/a/layers/collect", **many).status_code == 400
