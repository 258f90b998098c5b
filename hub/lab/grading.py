"""The course service's side of the formgrader's Autograde button.

``POST api/v1/assignments/<id>/autograde`` with ``{"students": [name, …]}``, for staff. It starts the job that
`mlsys autograde` is for these students (all without any), after one that is grading the assignment
already, and answers with a line of JSON twice a second: ``{"state": "waiting"}``, ``{"state": "running",
"job": id}``, and last ``{"state": "done", "exit": 0, "log": words}`` or ``{"state": "failed",
"message": words}``. A refusal is that of the exchange's API. Who stops listening doesn't stop the job.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from autograder.errors import AuthorError, GraderError, SubmissionError
from autograder.gradebook.intake import require_names
from course.records import Course
from hub.checks.routes import TICK_SECONDS, as_line
from hub.coursework import entry_of
from hub.exchange.api import ROOT, problem, refusal
from hub.exchange.bodies import read_json
from hub.exchange.identity import Identity
from hub.pages.jobs import Job, JobKind, Jobs, Order

MOST_STUDENTS = 5_000
log = logging.getLogger(__name__)


class Grading:
    """Grading at the button's order, for one course."""

    def __init__(self, course: Course, identity: Identity, jobs: Jobs) -> None:
        self.course = course
        self.identity = identity
        self.jobs = jobs

    async def answer(self, request: Request) -> Response:
        """The route's endpoint."""
        try:
            member = await self.identity.of_request(request) if "authorization" in request.headers else None
            if member is None:
                return problem(401, "no valid token", "Send `Authorization: token …` of your server.")
            if not member.is_staff:
                return problem(403, "this is for instructors", "Ask your instructor.")
            order = await self.order(request)
        except GraderError as error:
            return refusal(error)
        except ClientDisconnect:
            return Response(status_code=400)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        lines = self.lines(order, member.name)
        return StreamingResponse(lines, headers=headers, media_type="application/x-ndjson")

    async def order(self, request: Request) -> Order:
        """What the request asks for. Raises AuthorError, SubmissionError."""
        assignment = entry_of(self.course, request.path_params["assignment"]).id
        asked = await read_json(request)
        students = asked.get("students", []) if isinstance(asked, dict) else None
        if not isinstance(students, list) or not all(isinstance(each, str) for each in students):
            raise SubmissionError("the body must be an object; students: a list of names")
        for each in students[:MOST_STUDENTS]:
            require_names(each, assignment)
        return Order(JobKind.GRADE, assignment, tuple(students[:MOST_STUDENTS]))

    async def lines(self, order: Order, by: str) -> AsyncIterator[bytes]:
        """The answer, line by line."""
        try:
            while await run_in_threadpool(self.jobs.grading, order.assignment):
                yield as_line(state="waiting")
                await asyncio.sleep(TICK_SECONDS)
            job = await run_in_threadpool(self.jobs.start, order, by)
            while job.running:
                yield as_line(state="running", job=job.id)
                await asyncio.sleep(TICK_SECONDS)
                job = await run_in_threadpool(self.jobs.job, job.id)
            yield await run_in_threadpool(self.last_line, job)
        except GraderError as error:
            log.error("grading for the formgrader failed: %s", error)
            words = str(error) if isinstance(error, AuthorError) else "The platform failed; try again."
            yield as_line(state="failed", message=words)

    def last_line(self, job: Job) -> bytes:
        code = job.exit if job.exit is not None else 1
        events, _ = self.jobs.events(job.id)
        graded = [attempt_words(event) for _, event in events if event.get("event") == "attempt"]
        log = "\n".join([self.jobs.words(job.id).strip(), *graded, f"exit code {code} of job {job.id}"])
        return as_line(state="done", exit=code, job=job.id, log=log)


def attempt_words(event: Mapping[str, Any]) -> str:
    """One grading in a line."""
    points = f"{event.get('points', 0):g} of {event.get('max_points', 0):g} points"
    return f"{event.get('student')} {event.get('assignment')}: {event.get('verdict')}, {points}"


def grading_routes(grading: Grading) -> list[Route]:
    """The routes below the service's prefix."""
    return [Route(f"{ROOT}/assignments/{{assignment}}/autograde", grading.answer, methods=["POST"])]
