"""The table of all pages: name, method, who may open it, what answers.

Contract: a page that isn't in the table isn't there. Who may open it is checked by
``hub.exchange.guard`` before its handler runs; a handler is a plain function in a thread. What a
handler raises becomes a page with words.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from autograder.errors import GraderError, PlatformError
from hub.exchange.exchange import Exchange
from hub.exchange.guard import require
from hub.exchange.records import Role
from hub.exchange.refusals import Unknown
from hub.pages import actions, live, staff, student
from hub.pages.links import PATHS
from hub.pages.rendering import static_files
from hub.pages.responses import error_page
from hub.pages.site import PageSettings, Site, Visit, not_found

MOST_FIELDS = 50
OURS = "Something failed on our side. Nothing was lost; try again in a moment, or tell your instructor."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """One row. ``role``: who may open it at least."""

    name: str
    role: Role
    handler: Callable[[Visit], Response]
    method: str = "GET"

    @property
    def path(self) -> str:
        return PATHS[self.name]


STUDENT, STAFF = Role.STUDENT, Role.INSTRUCTOR
TABLE = (
    Page("course", STUDENT, student.course),
    Page("assignment", STUDENT, student.assignment),
    Page("assignment_events", STUDENT, live.standing),
    Page("receipt", STUDENT, student.receipt),
    Page("handed_in", STUDENT, student.handed_in),
    Page("feedback", STUDENT, student.feedback),
    Page("staff", STAFF, staff.glance),
    Page("roster", STAFF, staff.roster),
    Page("staff_assignment", STAFF, staff.assignment),
    Page("staff_student", STAFF, staff.student),
    Page("staff_receipt", STAFF, staff.receipt),
    Page("staff_handed_in", STAFF, staff.handed_in),
    Page("staff_feedback", STAFF, staff.feedback),
    Page("grade", STAFF, actions.grade, "POST"),
    Page("regrade", STAFF, actions.regrade, "POST"),
    Page("give_back", STAFF, actions.give_back, "POST"),
    Page("push", STAFF, actions.push, "POST"),
    Page("collect", STAFF, actions.collect, "POST"),
    Page("release", STAFF, actions.release, "POST"),
    Page("withdraw", STAFF, actions.withdraw, "POST"),
    Page("extend", STAFF, actions.extend, "POST"),
    Page("end_extension", STAFF, actions.end_extension, "POST"),
    Page("jobs", STAFF, staff.jobs),
    Page("job", STAFF, live.job),
    Page("job_events", STAFF, live.events),
    Page("stop", STAFF, actions.stop, "POST"),
    Page("export", STAFF, staff.export),
    Page("export_table", STAFF, staff.export_table),
)


def page_routes(exchange: Exchange, settings: PageSettings | None = None) -> list[BaseRoute]:
    """The pages of a course, to be mounted at the service's prefix. ``app.state`` must have what
    ``hub.exchange.guard`` reads: ``identity`` and ``xsrf_key``."""
    site = Site.of_exchange(exchange, settings or PageSettings.of_environment(os.environ))
    pages = [Route(page.path, _endpoint(site, page), methods=[page.method], name=page.name) for page in TABLE]
    return [*pages, Route(PATHS["static"], static, name="static")]


async def static(request: Request) -> Response:
    """A style, a script or a picture: the same for everybody, so anybody may have it."""
    found = static_files().get(request.path_params["name"])
    if found is None:
        raise not_found()
    data, kind = found
    return Response(data, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})


def _endpoint(site: Site, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        form = await request.form(max_fields=MOST_FIELDS, max_files=0) if page.method == "POST" else {}
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        visit = Visit(site, request, request.state.member, fields)
        return await run_in_threadpool(page.handler, visit)

    guarded = require(page.role)(answer)

    async def reached(request: Request) -> Response:
        try:
            return await guarded(request)
        except HTTPException as error:
            return await _refused(site, request, error.status_code, str(error.detail))
        except Unknown as error:
            return await _refused(site, request, 404, str(error))
        except PlatformError as error:
            log.exception("%s failed", page.name)
            return await _refused(site, request, 503, str(error) if page.role is STAFF else OURS)
        except GraderError as error:
            return await _refused(site, request, 400, str(error))

    return reached


async def _refused(site: Site, request: Request, status: int, message: str) -> Response:
    return await run_in_threadpool(error_page, site, request, status, message)
