"""The route: who may check, what comes back line by line, and what is refused before anything runs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from autograder.errors import PlatformError
from hub.checks.checker import released_files
from hub.checks.line import Terms
from hub.checks.routes import Checks, check_routes
from hub.exchange.records import Member, Role
from hub.exchange.refusals import Closed, Unknown
from tests.hub.checks.conftest import ID, FakeIdentity, Released
from tests.hub.checks.serving import serving

PATH = f"/api/v1/assignments/{ID}/check"
TERMS = Terms(running=2, waiting=2, burst=100)


class Service:
    """The route behind a client."""

    def __init__(self, released: Released, terms: Terms) -> None:
        self.released = released
        self.identity = FakeIdentity({"staff": Member("staff", Role.INSTRUCTOR)})
        self.checks = Checks(released.course, released.course_dir, self.identity, self.files, terms)
        self.stack = contextlib.ExitStack()
        self.stack.callback(self.checks.close)
        address = self.stack.enter_context(serving(Starlette(routes=check_routes(self.checks))))
        self.client = self.stack.enter_context(httpx.Client(base_url=address, timeout=60))

    def files(self, member: Member, assignment: str) -> Mapping[str, bytes]:
        if assignment == "closed" and not member.is_staff:
            raise Closed("closed opens on 1 February.")
        if assignment == "broken":
            raise PlatformError("the exchange's database is gone: /var/secret/place")
        if assignment != ID:
            raise Unknown(f"There is no assignment {assignment!r}.")
        return released_files(self.released.course_dir, assignment)

    def post(self, data: bytes, user: str = "ama", path: str = PATH, **headers: str) -> httpx.Response:
        return self.client.post(path, content=data, headers={"Authorization": f"token {user}"} | headers)


@pytest.fixture(scope="module")
def service(released: Released) -> Iterator[Service]:
    made = Service(released, TERMS)
    with made.stack:
        yield made


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_check_ends_in_a_report(service: Service, released: Released) -> None:
    response = service.post(released.written(), path=f"{PATH}?name=relu.ipynb")
    assert response.status_code == 200
    news = lines(response)
    assert all(each["state"] == "running" for each in news[:-1])
    assert news[-1]["state"] == "done"
    assert news[-1]["report"]["all_passed"] is True
    assert not service.checks.line.tickets


def test_what_is_no_notebook_is_reported_as_such(service: Service) -> None:
    assert "not valid JSON" in lines(service.post(b"{"))[-1]["report"]["problem"]


@pytest.mark.parametrize("headers", [{}, {"Cookie": "session=ama"}, {"Authorization": "token ../x"}])
def test_nobody_checks_without_a_token(service: Service, headers: dict[str, str]) -> None:
    response = service.client.post(PATH, content=b"{}", headers=headers)
    assert response.status_code == 401
    assert "token" in response.json()["error"]


@pytest.mark.parametrize(
    ("assignment", "status", "words"),
    [("closed", 403, "opens on"), ("nothing", 404, "no assignment"), ("broken", 503, "service failed")],
)
def test_what_the_exchange_refuses_is_not_checked(
    service: Service, assignment: str, status: int, words: str
) -> None:
    response = service.post(b"{}", path=PATH.replace(ID, assignment))
    assert response.status_code == status
    assert words in response.json()["error"] and "secret" not in response.text


def test_staff_may_check_what_students_may_not_see(service: Service) -> None:
    path = PATH.replace(ID, "closed")
    assert service.post(b"{}", path=path).status_code == 403
    assert service.post(b"{}", user="staff", path=path).status_code == 404  # asked of the exchange as staff


@pytest.mark.parametrize(
    "name", ["", "../x.ipynb", "x.py", "x" * 200 + ".ipynb", ".hidden.ipynb", "a/b.ipynb"]
)
def test_names_that_are_none_are_refused(service: Service, name: str) -> None:
    response = service.client.post(
        PATH, params={"name": name}, content=b"{}", headers={"Authorization": "token ama"}
    )
    assert response.status_code == 422


def test_a_body_is_not_read_beyond_the_cap(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.checks.routes.MAX_BYTES", 1 << 20)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b"[" * (1 << 16)

    assert service.post(b"[" * (2 << 20)).status_code == 413  # by its declared length
    response = service.client.post(PATH, content=endless(), headers={"Authorization": "token ama"})
    assert response.status_code == 413
    assert "1 MB" in response.json()["error"]
    assert not service.checks.line.tickets


def test_a_line_that_is_full_says_when_to_come_back(released: Released) -> None:
    service = Service(released, Terms(running=1, waiting=0, burst=2, every=60))
    try:
        ticket = service.checks.line.admit("ben")
        full = service.post(b"{}")
        assert full.status_code == 503 and full.headers["retry-after"] == "60"
        twice = service.post(b"{}", user="ben")
        assert twice.status_code == 429 and "still running" in twice.json()["error"]
        service.checks.line.leave(ticket)
        service.checks.line.leave(service.checks.line.admit("ben"))
        often = service.post(b"{}", user="ben")
        assert often.status_code == 429 and "often" in often.json()["error"]
    finally:
        service.stack.close()


def test_a_court_that_does_not_open_is_the_platforms_fault(
    released: Released, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_court() -> None:
        raise PlatformError("no bwrap at /usr/secret")

    monkeypatch.setattr("hub.checks.bench.open_court", no_court)
    service = Service(released, TERMS)
    try:
        news = lines(service.post(released.written()))
        assert news[-1]["state"] == "failed" and "no fault of yours" in news[-1]["message"]
        assert "secret" not in str(news)
    finally:
        service.stack.close()


def test_a_check_that_takes_too_long_in_all_is_ended(released: Released) -> None:
    service = Service(released, replace(TERMS, check_seconds=0.0))
    try:
        assert "took too long in all" in lines(service.post(released.written()))[-1]["message"]
    finally:
        service.stack.close()
