"""The course service: the exchange's API, the pages and the metrics in one process.

`hub.supervisor` runs ``python -m hub.service`` and starts it again when it dies. It reads JupyterHub's
variables for a service (``JUPYTERHUB_API_TOKEN``, ``JUPYTERHUB_API_URL``,
``JUPYTERHUB_SERVICE_PREFIX``, ``JUPYTERHUB_SERVICE_URL`` …) and ours: ``MLSYS_COURSE``,
``MLSYS_COURSE_DIR``, and where they are set ``MLSYS_EXCHANGE_DB`` (a SQLAlchemy URL),
``MLSYS_EXCHANGE_STORAGE`` (a path or an fsspec URL), ``MLSYS_PUBLIC_URL`` and ``MLSYS_METRICS_TOKEN``.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

import autograder.unneeded  # noqa: F401
from autograder.errors import GraderError, PlatformError
from course.reader import read_course
from hub.checks.routes import Checks, check_routes
from hub.exchange.api import ROOT, Api, api_error, refusal
from hub.exchange.bodies import BodyLimits
from hub.exchange.exchange import Exchange
from hub.exchange.identity import HubIdentity, Identity
from hub.exchange.opening import open_exchange
from hub.lab.grading import Grading, grading_routes
from hub.lti.routes import lti_routes
from hub.metrics import CourseMetrics
from hub.pages.jobs import Jobs
from hub.pages.routes import page_routes
from hub.supervisor import LISTEN_FD, SUPERVISOR

GRACE_SECONDS = 10
PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True)
class ServiceSettings:
    """Where the service listens and what it serves. ``prefix`` begins and ends with "/"."""

    prefix: str
    listen: str
    course: Path
    course_dir: Path
    public_url: str = ""
    metrics_token: str = ""

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> ServiceSettings:
        """Raises PlatformError for a variable that is missing."""
        try:
            return cls(
                prefix="/" + environment["JUPYTERHUB_SERVICE_PREFIX"].strip("/") + "/",
                listen=environment["JUPYTERHUB_SERVICE_URL"],
                course=Path(environment["MLSYS_COURSE"]),
                course_dir=Path(environment["MLSYS_COURSE_DIR"]),
                public_url=environment.get("MLSYS_PUBLIC_URL", ""),
                metrics_token=environment.get("MLSYS_METRICS_TOKEN", ""),
            )
        except KeyError as error:
            raise PlatformError(f"{error.args[0]} is not set; JupyterHub runs this: `mlsys up`") from None


def create_app(settings: ServiceSettings, exchange: Exchange, identity: Identity) -> Starlette:
    """The service. ``app.state`` has ``exchange``, ``identity``, ``settings`` and ``xsrf_key``."""
    checks = Checks(
        exchange.course,
        exchange.course_dir,
        identity,
        released=lambda member, assignment: exchange.fetch(member.name, assignment),
    )
    metrics = CourseMetrics(exchange, settings.metrics_token)
    jobs = Jobs(exchange.course.file, exchange.course_dir, exchange.clock)
    routes: list[BaseRoute] = [
        Route("/health", health),
        metrics.route,
        *Api(exchange, identity).routes(),
        *check_routes(checks),
        *grading_routes(Grading(exchange.course, identity, jobs)),
        *identity.routes,
        *lti_routes(exchange),
        *page_routes(exchange),
    ]
    app = Starlette(
        routes=[Mount(settings.prefix.rstrip("/"), routes=routes)],
        middleware=[
            metrics.middleware,
            Middleware(SafeHeaders),
            Middleware(BodyLimits, exempt=settings.prefix.rstrip("/") + ROOT),
        ],
        exception_handlers={HTTPException: http_error, GraderError: grader_error},
        lifespan=lifespan,
    )
    app.state.exchange = exchange
    app.state.checks = checks
    app.state.metrics = metrics
    app.state.identity = identity
    app.state.settings = settings
    app.state.xsrf_key = exchange.secret("xsrf")
    return app


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    await run_in_threadpool(app.state.checks.close)
    await run_in_threadpool(app.state.metrics.close)


async def health(request: Request) -> Response:
    """For `mlsys status`, probes and load balancers; says nothing about anybody."""
    return PlainTextResponse("ok\n")


async def http_error(request: Request, error: Exception) -> Response:
    """JSON below the API; the pages have words of their own."""
    assert isinstance(error, HTTPException)  # noqa: S101  # it is registered for these
    if f"{ROOT}/" in request.url.path:
        return await api_error(request, error)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)


async def grader_error(request: Request, error: Exception) -> JSONResponse:
    """What a page's handler did not catch."""
    assert isinstance(error, GraderError)  # noqa: S101  # it is registered for these
    return refusal(error)


class SafeHeaders:
    """Middleware: headers that every answer has, unless its handler chose another value."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safe(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, safe)


def listener(settings: ServiceSettings, environment: Mapping[str, str]) -> dict[str, Any]:
    """uvicorn's words for where to listen: at the supervisor's socket, or ``http://host:port``, or
    ``http+unix://%2Fpath``."""
    if descriptor := environment.get(LISTEN_FD):
        die_with(int(environment[SUPERVISOR]))
        return {"fd": int(descriptor)}
    parsed = urlsplit(settings.listen)
    if parsed.scheme == "http+unix":
        return {"uds": unquote(parsed.netloc)}
    if parsed.scheme != "http" or not parsed.hostname or not parsed.port:
        raise PlatformError(f"JUPYTERHUB_SERVICE_URL is {settings.listen!r}; it must be http://host:port")
    return {"host": parsed.hostname, "port": parsed.port}


def die_with(supervisor: int) -> None:
    """Ends this process when its parent is gone: two services must not write at the same time."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it was gone before
        raise PlatformError("its supervisor is gone; another has its place by now")


def main() -> int:
    """Serves until it is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = ServiceSettings.of_environment(os.environ)
        course = read_course(settings.course)
        with open_exchange(course, settings.course_dir) as exchange:
            app = create_app(settings, exchange, HubIdentity(exchange, public_url=settings.public_url))
            uvicorn.run(
                app,
                **listener(settings, os.environ),
                access_log=False,
                server_header=False,
                log_level="info",
                proxy_headers=True,  # from the hub's proxy on this host
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
    except GraderError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
