"""The service's side of checking: one route, which answers with a line of JSON for each news.

``POST api/v1/assignments/<id>/check?name=<file.ipynb>`` with a notebook's bytes as its body. A refusal
is that of the exchange's API: a status and ``{"error": what, "do": next}``. Else the answer is a stream of
lines: ``{"state": "waiting", "position": 2}``, ``{"state": "running", "done": 3, "of": 17}``, and
last ``{"state": "done", "report": {…}}`` or ``{"state": "failed", "message": words}``.

Trusts the identity alone for who asks. A token in a header is asked for, never a cookie, so that
no other site can start a check. Whether the student may see the assignment decides the exchange.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from autograder.errors import AuthorError, GraderError
from autograder.gradebook.intake import FILE
from autograder.repair import MAX_BYTES
from course.records import Course
from hub.checks.bench import Bench, Gone, TooLong
from hub.checks.checker import SUFFIX, check_room
from hub.checks.line import Line, Terms, Ticket, TurnedAway
from hub.checks.report import FAULT_WORDS, Report
from hub.exchange.api import ROOT, problem, refusal
from hub.exchange.identity import Identity
from hub.exchange.records import Member

TICK_SECONDS = 0.5
AUTHOR_WORDS = "This assignment can't be checked: its author has to repair it. Please tell your instructor."
LONG_WORDS = "This check took too long in all and was ended. Look for endless loops, then check again."
Released = Callable[[Member, str], Mapping[str, bytes]]
log = logging.getLogger(__name__)


class Refused(Exception):
    """An answer instead of a check; ``words`` say what is wrong, a semicolon, and what to do."""

    def __init__(self, status: int, words: str, seconds: int | None = None) -> None:
        super().__init__(words)
        what, _, do = words.partition("; ")
        headers = {"Retry-After": str(seconds)} if seconds is not None else None
        self.response = problem(status, what, do, headers)


class Checks:
    """Checking for one course. ``released`` returns an assignment's files as a member may fetch them,
    or raises SubmissionError; it is called in a thread."""

    def __init__(
        self,
        course: Course,
        course_dir: Path,
        identity: Identity,
        released: Released,
        terms: Terms | None = None,
    ) -> None:
        self.course = course
        self.course_dir = course_dir
        self.identity = identity
        self.released = released
        self.line = Line(terms)
        self.bench = Bench(self.line.terms.running)

    def close(self) -> None:
        """To be called when the service ends; checks that run end at their next cell."""
        for ticket in list(self.line.tickets.values()):
            ticket.cancelled = True
        self.bench.close()

    async def answer(self, request: Request) -> Response:
        """The route's endpoint."""
        try:
            return await self.check(request)
        except Refused as refused:
            return refused.response
        except GraderError as error:
            return refusal(error)
        except ClientDisconnect:
            return Response(status_code=400)

    async def check(self, request: Request) -> Response:
        member = await self.identity.of_request(request) if "authorization" in request.headers else None
        if member is None:
            raise Refused(401, "no valid token; send `Authorization: token …` of your server.")
        assignment, name = request.path_params["assignment"], file_name(request)
        files = await run_in_threadpool(self.released, member, assignment)
        try:
            ticket = self.line.admit(member.name)
        except TurnedAway as away:
            raise Refused(away.status, str(away), away.seconds) from away
        try:
            data = await read_capped(request, MAX_BYTES, self.line.terms.upload_seconds)
        except BaseException:
            self.line.leave(ticket)
            raise
        return CheckStream(Check(self, ticket, assignment, files, name, data))


class Check:
    """One check that was admitted, from the bytes to the last line of its answer."""

    def __init__(
        self,
        checks: Checks,
        ticket: Ticket,
        assignment: str,
        files: Mapping[str, bytes],
        name: str,
        data: bytes,
    ) -> None:
        self.checks = checks
        self.line = checks.line
        self.ticket = ticket
        self.assignment = assignment
        self.files = files
        self.name = name
        self.data = data
        self.done, self.of = 0, 0
        self.started = 0.0
        self.future: Future[Report] | None = None

    async def lines(self) -> AsyncIterator[bytes]:
        """The answer, line by line; one every half second at least keeps the connection alive."""
        self.line.stand_in(self.ticket)
        while position := self.line.position(self.ticket):
            yield as_line(state="waiting", position=position)
            await self.line.wait(TICK_SECONDS)
        self.start()
        ended = asyncio.wrap_future(self.future)  # type: ignore[arg-type]  # start() has set it
        ended.add_done_callback(
            lambda end: end.cancelled() or end.exception()
        )  # told, also where nobody reads
        while not ended.done():
            yield as_line(state="running", done=self.done, of=self.of)
            await asyncio.wait((ended,), timeout=TICK_SECONDS)
        yield last_line(ended)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.started = time.monotonic()
        self.future = self.checks.bench.submit(
            lambda: check_room(self.checks.course, self.checks.course_dir, self.assignment, self.files),
            self.name,
            self.data,
            self.progress,
        )
        self.future.add_done_callback(lambda _: loop.call_soon_threadsafe(self.line.leave, self.ticket))

    def progress(self, done: int, of: int) -> None:
        """Called by the judging thread after each cell."""
        self.done, self.of = done, of
        if self.ticket.cancelled:
            raise Gone
        if time.monotonic() - self.started > self.line.terms.check_seconds:
            raise TooLong

    def end(self) -> None:
        """The answer is sent, or nobody reads it; a check that runs leaves the line when it ends."""
        self.ticket.cancelled = True
        if self.future is None:
            self.line.leave(self.ticket)


class CheckStream(StreamingResponse):
    """The answer of a check. However sending it ends, the ticket is given back."""

    def __init__(self, check: Check) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(check.lines(), headers=headers, media_type="application/x-ndjson")
        self.check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.check.end()


def check_routes(checks: Checks) -> list[Route]:
    """The routes below the service's prefix."""
    return [Route(f"{ROOT}/assignments/{{assignment}}/check", checks.answer, methods=["POST"])]


def file_name(request: Request) -> str:
    """The notebook's file name, which says which notebook of the assignment it is."""
    name = request.query_params.get("name", "notebook.ipynb")
    if not FILE.fullmatch(name) or not name.lower().endswith(SUFFIX):
        raise Refused(422, "that is no name of a notebook; use letters, digits and dashes, then .ipynb.")
    return name


async def read_capped(request: Request, most: int, seconds: float) -> bytes:
    """The request's body. Refuses one that is too long or too slow, without reading on."""
    too_long = Refused(
        413, f"the notebook has more than {most // 2**20} MB; clear its outputs, then check again."
    )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise too_long
    data = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                data += chunk
                if len(data) > most:
                    raise too_long
    except TimeoutError:
        raise Refused(408, "the notebook took too long to arrive; check again.") from None
    return bytes(data)


def last_line(ended: asyncio.Future[Report]) -> bytes:
    """The report, or in words why there is none."""
    error = ended.exception()
    if error is None:
        return as_line(state="done", report=ended.result().as_dict())
    if isinstance(error, TooLong):
        return as_line(state="failed", message=LONG_WORDS)
    log.error("a check failed: %s", error, exc_info=None if isinstance(error, GraderError) else error)
    return as_line(state="failed", message=AUTHOR_WORDS if isinstance(error, AuthorError) else FAULT_WORDS)


def as_line(**news: Any) -> bytes:
    return json.dumps(news, ensure_ascii=False).encode() + b"\n"
