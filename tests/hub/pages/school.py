"""A small course that is under way, and people who open its pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from autograder.gradebook import Gradebook, content_sha256
from autograder.gradebook.feedback import write_feedback
from autograder.judge import NotebookResult, Verdict
from course.records import Attempts, Chapter, Counts, Course, Entry, Late, Limits, Part
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member
from hub.pages.routes import page_routes
from hub.pages.site import PageSettings
from tests.autograder.gradebook.gradings import grading, open_gradebook, result

PREFIX = "/services/course"
OPENS = datetime(2026, 8, 20, 9, 0, tzinfo=UTC)
DUE = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
NOW = DUE - timedelta(days=2)
LATER = datetime(2027, 1, 1, 9, 0, tzinfo=UTC)
LIMITS = Limits(30, 300, 20, 300, 1024, 128, 64, 1024, 64)
OK, WRONG = Verdict.OK, Verdict.WRONG
NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}'
PWN = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
VOID = {"meta", "link", "img", "br", "hr", "input"}


def small_course(folder: Path) -> Course:
    """Two chapters have an assignment each: "layers" is open, "kernels" opens next year."""
    intro, frameworks, speed = (
        Chapter("introduction", "Introduction", "Foundations"),
        Chapter("frameworks", "AI Frameworks", "Foundations"),
        Chapter("speed", "AI Acceleration", "Performance"),
    )
    late, attempts = Late(15, 10, 2), Attempts(5, Counts.LAST)
    (folder / "material").mkdir(exist_ok=True)
    return Course(
        file=folder / "course.toml",
        id="mls",
        title="Systems",
        timezone=ZoneInfo("America/New_York"),
        assignments_folder=folder / "material",
        solutions_folder=folder / "material",
        limits=LIMITS,
        parts=(Part("Foundations", (intro, frameworks)), Part("Performance", (speed,))),
        entries=(
            Entry("layers", frameworks, 1, OPENS, DUE, late, attempts),
            Entry("kernels", speed, 1, LATER, LATER + timedelta(days=9), late, attempts),
        ),
    )


@dataclass
class Believing:
    """An identity that believes a cookie."""

    exchange: Exchange
    routes: Sequence[Route] = ()

    async def of_request(self, request: Request) -> Member | None:
        name = request.cookies.get("who")
        request.state.session = name or ""
        return self.exchange.member(name) if name else None

    def login_redirect(self, request: Request) -> Response:
        return RedirectResponse("/hub/login", 302)


@dataclass
class School:
    """The course, its exchange and its pages. Ada and Grace are students, Alan teaches."""

    course_dir: Path
    exchange: Exchange
    now: list[datetime] = field(default_factory=lambda: [NOW])

    def app(self) -> Starlette:
        pages = page_routes(self.exchange, PageSettings())
        app = Starlette(routes=[Mount(PREFIX, routes=pages)])
        app.state.identity = Believing(self.exchange)
        app.state.xsrf_key = b"key of the tests"
        return app

    def visitor(self, name: str = "") -> Visitor:
        """Somebody with a browser, nobody without a name."""
        return Visitor(self.app(), name)

    def submit(self, student: str = "ada", name: str = "layers.ipynb", extra: bytes = b"") -> str:
        """A submission to "layers"; returns its SHA-256."""
        files = {name: NOTEBOOK + extra}
        self.exchange.submit(student, "layers", files)
        return content_sha256(files)

    def grade(self, judged: NotebookResult | None = None, *, student: str = "ada", **fields: Any) -> None:
        """Records a grading of the student's newest submission."""
        newest = self.exchange.submissions(student, "layers")[-1]
        with open_gradebook(self.course_dir) as book:
            judgement = grading(
                judged or result(OK, WRONG, OK), student=student, sha256=newest.sha256, **fields
            )
            book.record_attempt(replace(judgement, submitted=newest.received, graded=self.now[0]))

    def give_back(self, student: str = "ada", titles: Mapping[str, str] | None = None) -> None:
        """Writes the feedback and gives it back."""
        with open_gradebook(self.course_dir) as book:
            write_feedback(book, student, "layers", title="Layers", titles=titles)
            newest = newest_attempt(book, student)
        folder = self.course_dir / "feedback" / student / "layers"
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.exchange.give_back(student, "layers", files, sha256=newest[0], attempt=newest[1])


def newest_attempt(book: Gradebook, student: str) -> tuple[str, int]:
    attempt = book.attempts(student, "layers")[-1]
    return attempt.sha256, attempt.number


@dataclass
class Visitor:
    """One person's browser, which follows no redirect."""

    app: Starlette
    name: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._ask("GET", path, headers=headers)

    def page(self, path: str) -> Sheet:
        """A page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return Sheet(answer.text)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Sends a form as a page of ours does."""
        return self.post_raw(path, {**fields, "_xsrf": self.token()})

    def post_raw(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        return self._ask("POST", path, data=fields, headers=headers)

    def token(self) -> str:
        """What the forms of this visitor's pages send back."""
        found = re.search(r'name="_xsrf" value="([0-9a-f]+)"', self.get("/staff/a/layers").text)
        return found[1] if found else "0" * 64

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            cookies = {"who": self.name} if self.name else {}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://course", cookies=cookies
            ) as browser:
                return await browser.request(method, PREFIX + path, **request)

        return asyncio.run(answer())


class Sheet(HTMLParser):
    """A page as it is read: its text, its elements; everything that was opened was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.html = page
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """The words of the page, with single spaces."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def links(self) -> list[str]:
        return [each["href"] for each in self.all("a")]
