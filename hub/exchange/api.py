"""The exchange over HTTP: JSON for nbgrader's plug-ins and command lines.

Contract: every route asks for a token in the ``Authorization`` header; cookies count for nothing here, so
no page can send a request in somebody's name. A student reaches what is theirs; another's is not
there (404), and staff's routes are forbidden (403). An error is ``{"error": what, "do": next}``:
401 no token, 403 not allowed or not now, 404 unknown, 413 too long, 422 not usable, 429 too often
(``Retry-After``), 503 ours (``Retry-After``; nothing was kept, or sending it again does no harm).
Submitting again what was submitted is harmless: the answer is the same receipt.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from autograder.errors import GraderError, PlatformError, SubmissionError
from autograder.gradebook.intake import MAX_FILES, MAX_TOTAL
from hub.exchange import packages
from hub.exchange.answers import (
    as_extension,
    as_member,
    as_release,
    as_returned,
    as_submission,
    as_terms,
)
from hub.exchange.bodies import HANG_UP, read_files, read_json
from hub.exchange.exchange import Exchange
from hub.exchange.identity import Identity
from hub.exchange.pace import Pace, Paces, TooOften
from hub.exchange.records import Member, Role, Submission
from hub.exchange.refusals import Closed, Oversize, Unknown

ROOT = "/api/v1"
RETRY_SECONDS = 5
AT_ONCE = 8  # submissions in memory at the same time
NEXT = {
    Unknown: (404, "Look at the list of assignments."),
    Closed: (403, "Ask your instructor."),
    Oversize: (413, "Remove large files and outputs, then submit again."),
    PlatformError: (503, "Try again in a moment; nothing is lost."),
    GraderError: (422, "Change it and try again."),
}

Answer = dict[str, Any]
Handler = Callable[[Request, Member], Awaitable[Answer]]
T = TypeVar("T")
log = logging.getLogger(__name__)


class Api:
    """The routes of one exchange. ``pace``: how often one person may submit."""

    def __init__(self, exchange: Exchange, identity: Identity, pace: Pace | None = None) -> None:
        self.exchange = exchange
        self.identity = identity
        self.paces = Paces(pace or Pace())
        self._room = anyio.CapacityLimiter(AT_ONCE)

    def routes(self) -> list[Route]:
        """All routes, below the service's prefix."""
        student, staff = Role.STUDENT, Role.INSTRUCTOR
        return [
            self._route("GET", "/course", student, self.course),
            self._route("GET", "/assignments", student, self.assignments),
            self._route("GET", "/assignments/{assignment}/files", student, self.fetch),
            self._route("POST", "/assignments/{assignment}/submissions", student, self.submit),
            self._route("GET", "/submissions", student, self.submissions),
            self._route("GET", "/submissions/{id:int}/receipt", student, self.receipt),
            self._route("GET", "/submissions/{id:int}/files", student, self.submitted_files),
            self._route("GET", "/feedback", student, self.feedback),
            self._route("GET", "/feedback/{id:int}/files", student, self.feedback_files),
            self._route("PUT", "/assignments/{assignment}/release", staff, self.release),
            self._route("DELETE", "/assignments/{assignment}/release", staff, self.withdraw),
            self._route("POST", "/assignments/{assignment}/collect", staff, self.collect),
            self._route("POST", "/assignments/{assignment}/feedback/{student}", staff, self.give_back),
            self._route("GET", "/extensions", staff, self.extensions),
            self._route("PUT", "/extensions/{student}/{assignment}", staff, self.extend),
            self._route("DELETE", "/extensions/{student}/{assignment}", staff, self.end_extension),
            self._route("GET", "/roster", staff, self.roster),
            self._route("PUT", "/roster", staff, self.enrol),
        ]

    def _route(self, method: str, path: str, role: Role, handler: Handler) -> Route:
        return Route(ROOT + path, partial(self._answer, handler, role), methods=[method])

    async def _answer(self, handler: Handler, role: Role, request: Request) -> Response:
        try:
            has_token = "authorization" in request.headers
            member = await self.identity.of_request(request) if has_token else None
            if member is None:
                return problem(401, "no valid token", "Send `Authorization: token …` of your server.")
            if role is Role.INSTRUCTOR and not member.is_staff:
                return problem(403, "this is for instructors", "Ask your instructor.")
            return JSONResponse(await handler(request, member), headers={"Cache-Control": "no-store"})
        except TooOften as error:
            return too_often(error)
        except GraderError as error:
            return refusal(error)
        except ClientDisconnect:
            return Response(status_code=400)

    # students, and staff

    async def course(self, request: Request, member: Member) -> Answer:
        course, exchange = self.exchange.course, self.exchange
        return {
            "course": course.id,
            "title": course.title,
            "timezone": course.timezone.key,
            "now": exchange.clock().isoformat(),
            "member": as_member(member),
            "receipt_key": exchange.public_key,
        }

    async def assignments(self, request: Request, member: Member) -> Answer:
        """What the member may see: students what is released and open, staff all."""
        return {"assignments": await _thread(self._assignments, member)}

    def _assignments(self, member: Member) -> list[Answer]:
        now = self.exchange.clock()
        releases = {each.assignment: each for each in self.exchange.releases()}
        terms = [self.exchange.terms(member.name, entry.id) for entry in self.exchange.course.entries]
        return [
            {**as_terms(each, now), **as_release(releases.get(each.assignment))}
            for each in terms
            if member.is_staff or each.may_fetch(now)
        ]

    async def fetch(self, request: Request, member: Member) -> Answer:
        files = await _thread(self.exchange.fetch, member.name, request.path_params["assignment"])
        return {"files": _encoded(files)}

    async def submit(self, request: Request, member: Member) -> Answer:
        """The clock is read when the last byte is here: waiting in our own queue makes nobody late."""
        assignment = request.path_params["assignment"]
        with self.paces.turn(member.name):
            files = await read_files(request, MAX_FILES, MAX_TOTAL)
            received = self.exchange.clock()
            async with self._room:
                taken = await _thread(
                    partial(self.exchange.submit, received=received), member.name, assignment, files
                )
        return self._receipt(taken)

    async def submissions(self, request: Request, member: Member) -> Answer:
        student = _whose(request, member)
        found = await _thread(self.exchange.submissions, student, request.query_params.get("assignment"))
        return {"submissions": [as_submission(each) for each in found]}

    async def receipt(self, request: Request, member: Member) -> Answer:
        return self._receipt(await self._submission(request, member))

    async def submitted_files(self, request: Request, member: Member) -> Answer:
        submission = await self._submission(request, member)
        return {"files": _encoded(await _thread(self.exchange.read_submission, submission))}

    async def feedback(self, request: Request, member: Member) -> Answer:
        student = _whose(request, member)
        found = await _thread(self.exchange.returned, student, request.query_params.get("assignment"))
        return {"feedback": [as_returned(each) for each in found]}

    async def feedback_files(self, request: Request, member: Member) -> Answer:
        number = request.path_params["id"]
        found = await _thread(self.exchange.returned, None if member.is_staff else member.name)
        returned = next((each for each in found if each.id == number), None)
        if returned is None:
            raise Unknown(f"there is no feedback {number} for you")
        return {"files": _encoded(await _thread(self.exchange.read_returned, returned))}

    # staff

    async def release(self, request: Request, member: Member) -> Answer:
        """The files of the body; those of the course directory where there is no body."""
        has_body = "content-type" in request.headers
        files = await _read_package(request) if has_body else None
        return as_release(await _thread(self.exchange.release, request.path_params["assignment"], files))

    async def withdraw(self, request: Request, member: Member) -> Answer:
        await _thread(self.exchange.withdraw, request.path_params["assignment"])
        return {}

    async def collect(self, request: Request, member: Member) -> Answer:
        students = (await _object(request)).get("students", [])
        if not isinstance(students, list) or not all(isinstance(each, str) for each in students):
            raise SubmissionError("students must be a list of names")
        taken = await _thread(self.exchange.collect, request.path_params["assignment"], students)
        return {"collected": [{"student": each.student, "sha256": each.sha256} for each in taken]}

    async def give_back(self, request: Request, member: Member) -> Answer:
        sha256, attempt = request.query_params.get("sha256", ""), request.query_params.get("attempt", "")
        if not attempt.isdecimal() or len(attempt) > 9:
            raise SubmissionError("attempt must be a number")
        files = await _read_package(request)
        give = partial(self.exchange.give_back, sha256=sha256[:64], attempt=int(attempt))
        student, assignment = request.path_params["student"], request.path_params["assignment"]
        return as_returned(await _thread(give, student, assignment, files))

    async def extensions(self, request: Request, member: Member) -> Answer:
        found = await _thread(self.exchange.extensions, request.query_params.get("assignment"))
        return {"extensions": [as_extension(each) for each in found]}

    async def extend(self, request: Request, member: Member) -> Answer:
        asked = await _object(request)
        try:
            due = datetime.fromisoformat(str(asked["due"]))
        except (KeyError, ValueError):
            raise SubmissionError("due must be a time such as 2027-03-01T18:00:00-05:00") from None
        give = partial(self.exchange.extend, by=member.name, reason=str(asked.get("reason", ""))[:1000])
        student, assignment = request.path_params["student"], request.path_params["assignment"]
        return as_extension(await _thread(give, student, assignment, due))

    async def end_extension(self, request: Request, member: Member) -> Answer:
        student, assignment = request.path_params["student"], request.path_params["assignment"]
        await _thread(self.exchange.end_extension, student, assignment)
        return {}

    async def roster(self, request: Request, member: Member) -> Answer:
        return {"roster": [as_member(each) for each in await _thread(self.exchange.roster)]}

    async def enrol(self, request: Request, member: Member) -> Answer:
        asked = await _object(request)
        try:
            members = [
                Member(
                    str(each["name"]),
                    Role(each.get("role", "student")),
                    str(each.get("full_name", "")),
                    str(each.get("email", "")),
                )
                for each in asked["roster"]
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SubmissionError(f"roster must be a list of objects with name and role: {error}") from error
        await _thread(self.exchange.enrol, members)
        return await self.roster(request, member)

    def _receipt(self, submission: Submission) -> Answer:
        return {**self.exchange.receipt(submission).record(), "late_seconds": submission.late.total_seconds()}

    async def _submission(self, request: Request, member: Member) -> Submission:
        """The submission that the URL names, if it is the member's own or they are staff."""
        number = request.path_params["id"]
        found = await _thread(self.exchange.submission, number)
        if found.student != member.name and not member.is_staff:
            raise Unknown(f"there is no submission {number}")
        return found


def problem(status: int, error: str, do: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error's answer. The connection ends with it: the rest of the request may not have been read."""
    return JSONResponse({"error": error, "do": do}, status, {**HANG_UP, **(headers or {})})


def refusal(error: GraderError) -> JSONResponse:
    """Our own errors say "what; what to do"."""
    status, do = next(NEXT[kind] for kind in NEXT if isinstance(error, kind))
    if status == 503:
        log.error("%s", error)
        return problem(503, "the course service failed", do, {"Retry-After": str(RETRY_SECONDS)})
    what, _, then = str(error).partition("; ")
    return problem(status, what, then or do)


def too_often(error: TooOften) -> JSONResponse:
    wait = str(error.seconds)
    return problem(429, "too many submissions", f"Wait {wait} s, then submit again.", {"Retry-After": wait})


async def api_error(request: Request, error: Exception) -> JSONResponse:
    """For what Starlette itself refuses: unknown routes, wrong methods."""
    found = cast(HTTPException, error)
    return problem(found.status_code, found.detail, "Look at the list of routes.", found.headers)


async def _thread(act: Callable[..., T], *given: object) -> T:
    return await run_in_threadpool(act, *given)


def _whose(request: Request, member: Member) -> str | None:
    """Whose things are asked for: their own; for staff anybody's, or everybody's."""
    asked = request.query_params.get("student")
    if not member.is_staff and asked not in (None, member.name):
        raise Unknown("there is nothing of theirs for you")
    return asked if member.is_staff else member.name


async def _object(request: Request) -> dict[str, Any]:
    found = await read_json(request)
    if not isinstance(found, dict):
        raise SubmissionError("the body must be a JSON object")
    return found


async def _read_package(request: Request) -> dict[str, bytes]:
    return await read_files(request, packages.MAX_FILES, packages.MAX_TOTAL)


def _encoded(files: Mapping[str, bytes]) -> Sequence[Answer]:
    return [{"name": name, "content": base64.b64encode(data).decode()} for name, data in files.items()]
