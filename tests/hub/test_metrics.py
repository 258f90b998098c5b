"""Metrics: figures that survive a restart, no names in them, and for nobody but staff and Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from autograder.errors import PlatformError
from autograder.gradebook import Gradebook, latest_receipt, take_in
from autograder.judge import Verdict
from hub.backup.records import LAST_BACKUP
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role
from hub.metrics import RequestMetrics, RequestTimes, StoredMetrics, metrics_route
from hub.metrics.stored import SECONDS
from hub.service import ServiceSettings, create_app
from tests.autograder.conftest import released_course
from tests.autograder.gradebook.conftest import course, released_database
from tests.autograder.gradebook.gradings import DUE, grading, open_gradebook, result
from tests.hub.exchange.course import FIRST, Hands, notebook, small_course

__all__ = ["course", "released_course", "released_database"]

TOKEN = "0123456789abcdef" * 2
OK, WRONG, FAULT = Verdict.OK, Verdict.WRONG, Verdict.FAULT


class HeaderIdentity:
    """Believes a header, where the hub's word would stand."""

    routes: Sequence[Route] = ()

    async def of_request(self, request: Request) -> Member | None:
        name = request.headers.get("x-member")
        return Member(name, Role.INSTRUCTOR if name == "ines" else Role.STUDENT) if name else None

    def login_redirect(self, request: Request) -> Response:
        return RedirectResponse("/login", 302)


def ask(app: Starlette, path: str, headers: dict[str, str], body: bytes | None = None) -> httpx.Response:
    """The application's answer; to a POST where there is a body."""

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://course") as browser:
            if body is not None:
                return await browser.post(path, content=body, headers=headers)
            return await browser.get(path, headers=headers)

    return asyncio.run(answer())


def scrape(
    *registries: CollectorRegistry, headers: dict[str, str] | None = None, token: str = TOKEN
) -> httpx.Response:
    app = Starlette(routes=[metrics_route(registries, token)])
    app.state.identity, app.state.xsrf_key = HeaderIdentity(), b"key"
    return ask(app, "/metrics", {"authorization": f"Bearer {TOKEN}"} if headers is None else headers)


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        ({}, TOKEN, 302),
        ({"authorization": f"Bearer {TOKEN}"}, TOKEN, 200),
        ({"authorization": f"Bearer {TOKEN}x"}, TOKEN, 401),
        ({"authorization": "Bearer "}, "", 401),
        ({"authorization": "Bearer"}, "", 401),
        ({"x-member": "ada"}, TOKEN, 403),
        ({"x-member": "ines"}, TOKEN, 200),
        ({"x-member": "ines", "sec-fetch-dest": "iframe"}, TOKEN, 403),
        ({"x-member": "ines"}, "", 200),
    ],
)
def test_only_staff_and_the_holder_of_the_token_read(
    headers: dict[str, str], token: str, status: int
) -> None:
    answer = scrape(RequestMetrics(lambda route, method: True).registry, headers=headers, token=token)
    assert answer.status_code == status
    assert ("mlsys_submit_seconds" in answer.text) == (status == 200)


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(PlatformError, match="MLSYS_METRICS_TOKEN is too short"):
        metrics_route([], "secret")


def test_both_text_formats_are_whole() -> None:
    one, two = (RequestMetrics(lambda route, method: False).registry for _ in range(2))
    assert scrape(one, two).headers["content-type"].startswith("text/plain")
    accept = {"accept": "application/openmetrics-text; version=1.0.0", "x-member": "ines"}
    newer = scrape(one, two, headers=accept)
    assert newer.text.count("# EOF") == 1
    assert newer.text.endswith("# EOF\n")


async def submit(request: Request) -> Response:
    body = await request.body()
    status = {b"late": 403, b"big": 413, b"bad": 400}.get(body, 200)
    if body == b"boom":
        raise RuntimeError("boom")
    return PlainTextResponse("", status)


def test_requests_are_counted_by_route_and_refusals_by_reason() -> None:
    metrics = RequestMetrics(lambda route, method: method == "POST" and route.endswith("/submissions"))
    inner = Mount("/api", routes=[Route("/{assignment}/submissions", submit, methods=["GET", "POST"])])
    times = Middleware(RequestTimes, metrics=metrics)
    app = Starlette(routes=[inner], middleware=[times])
    for body in (b"fine", b"late", b"late", b"big", b"boom", None):
        ask(app, "/api/07-ada-lovelace/submissions", {}, body)
    ask(app, "/ada/nowhere", {})
    value = metrics.registry.get_sample_value
    assert value("mlsys_submit_refused_total", {"reason": "not allowed or closed"}) == 2
    assert value("mlsys_submit_refused_total", {"reason": "too large"}) == 1
    assert value("mlsys_submit_refused_total", {"reason": "our fault"}) == 1
    assert value("mlsys_submit_refused_total", {"reason": "too often"}) == 0
    assert value("mlsys_submit_seconds_count") == 5
    assert value("mlsys_submit_received_bytes_total") == 4 + 4 + 4 + 3 + 4
    route = "/{assignment}/submissions"
    assert value("mlsys_http_requests_total", {"route": route, "method": "POST", "status": "200"}) == 1
    assert value("mlsys_http_requests_total", {"route": "none", "method": "GET", "status": "404"}) == 1
    told = scrape(metrics.registry).text
    assert "ada" not in told


@pytest.fixture
def exchange(tmp_path: Path, course: Path) -> Iterator[Exchange]:
    with Exchange(small_course(tmp_path), course, clock=Hands()) as opened:
        opened.enrol([Member("ada"), Member("grace"), Member("ines", Role.INSTRUCTOR)])
        opened.release(FIRST, {"layers.ipynb": notebook()})
        yield opened


@contextmanager
def stored(
    exchange: Exchange, folder: Path, clock: Callable[[], float] = lambda: 0.0
) -> Iterator[StoredMetrics]:
    metrics = StoredMetrics(exchange, folder, clock=clock)
    yield metrics
    metrics.close()


def test_the_exchanges_figures_come_from_its_database(exchange: Exchange, course: Path) -> None:
    exchange.submit("ada", FIRST, {"layers.ipynb": notebook("1")})
    newest = exchange.submit("ada", FIRST, {"layers.ipynb": notebook("2")})
    exchange.give_back("ada", FIRST, {"layers.html": b"x"}, sha256=newest.sha256, attempt=1)
    (course / LAST_BACKUP).parent.mkdir(exist_ok=True)
    (course / LAST_BACKUP).touch()
    with stored(exchange, course) as metrics:
        value = metrics.registry.get_sample_value
        assert value("mlsys_submissions_total", {"assignment": FIRST}) == 2
        assert value("mlsys_last_submission_timestamp_seconds") == newest.received.timestamp()
        assert value("mlsys_feedback_returned_total", {"assignment": FIRST}) == 1
        assert value("mlsys_members", {"role": "student"}) == 2
        assert value("mlsys_members", {"role": "instructor"}) == 1
        assert value("mlsys_disk_bytes", {"state": "free"}) is not None
        assert value("mlsys_last_backup_timestamp_seconds") == (course / LAST_BACKUP).stat().st_mtime


def test_the_graders_figures_come_from_the_gradebook(exchange: Exchange, course: Path) -> None:
    with open_gradebook(course) as book:
        for minutes, student in enumerate(("ada", "grace", "edsger")):
            at = DUE + timedelta(minutes=minutes)
            files = {"layers.ipynb": notebook(student)}
            book.record_submission(take_in(course, student, "layers", files, clock=lambda at=at: at))  # type: ignore[misc]
        receive(book, course, "ada", result(OK, WRONG, OK))
        receive(book, course, "grace", result(OK, FAULT, OK))
    with stored(exchange, course) as metrics:
        value = metrics.registry.get_sample_value
        attempts = {"assignment": "layers", "state": "graded", "verdict": "WRONG"}
        assert value("mlsys_attempts_total", attempts) == 1
        faults = {"assignment": "layers", "state": "fault", "verdict": "FAULT"}
        assert value("mlsys_attempts_total", faults) == 1
        assert value("mlsys_collected_total", {"assignment": "layers"}) == 3
        assert value("mlsys_ungraded", {"assignment": "layers"}) == 2
        assert value("mlsys_grading_seconds_count") == 1
        assert value("mlsys_grading_seconds_sum") == 2.5
        assert value("mlsys_grading_seconds_bucket", {"le": "2.0"}) == 0
        assert value("mlsys_grading_seconds_bucket", {"le": "5.0"}) == 1
        assert value("mlsys_last_graded_timestamp_seconds") is not None
        told = scrape(metrics.registry).text
    assert not [name for name in ("ada", "grace", "edsger", "ines") if name in told]


def receive(book: Gradebook, folder: Path, student: str, judged: object) -> None:
    """Records a grading of the newest submission."""
    receipt = latest_receipt(folder, student, "layers")
    assert receipt is not None
    done = grading(judged, student=student, sha256=receipt.sha256)  # type: ignore[arg-type]
    book.record_attempt(type(done)(**{**vars(done), "submitted": receipt.received}))


@pytest.mark.parametrize("course", ["sqlite"], indirect=True)
def test_the_course_service_counts_submissions(exchange: Exchange, course: Path) -> None:
    settings = ServiceSettings("/services/course/", "", course, course, metrics_token=TOKEN)
    app = create_app(settings, exchange, HeaderIdentity())
    submit = f"/services/course/api/v1/assignments/{FIRST}/submissions"
    assert ask(app, submit, {"x-member": "ada"}, b"no token").status_code == 401
    token = {"x-member": "ada", "authorization": "token x"}
    assert ask(app, submit, token, b"no form").status_code == 422
    assert ask(app, "/services/course/metrics", {"x-member": "ada"}).status_code == 403
    told = ask(app, "/services/course/metrics", {"authorization": f"Bearer {TOKEN}"}).text
    assert 'mlsys_submit_refused_total{reason="not logged in"} 1.0' in told
    assert 'mlsys_submit_refused_total{reason="invalid"} 1.0' in told
    assert 'mlsys_members{role="student"} 2.0' in told
    app.state.metrics.close()


@pytest.mark.parametrize("course", ["sqlite"], indirect=True)
def test_a_missing_gradebook_takes_nothing_else_away(exchange: Exchange, course: Path) -> None:
    (course / "gradebook.db").unlink()
    with stored(exchange, course) as metrics:
        value = metrics.registry.get_sample_value
        assert value("mlsys_database_up", {"database": "gradebook"}) == 0
        assert value("mlsys_database_up", {"database": "exchange"}) == 1
        assert value("mlsys_members", {"role": "student"}) == 2


@pytest.mark.parametrize("course", ["sqlite"], indirect=True)
def test_a_hurried_scraper_costs_no_queries(exchange: Exchange, course: Path) -> None:
    now = [0.0]
    with stored(exchange, course, lambda: now[0]) as metrics:
        value = metrics.registry.get_sample_value
        assert value("mlsys_members", {"role": "student"}) == 2
        exchange.enrol([Member("edsger")])
        now[0] = SECONDS / 2
        assert value("mlsys_members", {"role": "student"}) == 2
        now[0] = SECONDS
        assert value("mlsys_members", {"role": "student"}) == 3
