"""Who may read /metrics: Prometheus with its token, and instructors. Nobody else: it fails closed."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from autograder.errors import PlatformError
from hub.exchange.guard import require
from hub.exchange.records import Role

SHORTEST = 16
REDIRECTS = range(300, 400)
VARIABLE = "MLSYS_METRICS_TOKEN"


def metrics_route(registries: Iterable[CollectorRegistry], token: str, path: str = "/metrics") -> Route:
    """The route to mount. ``token``: what Prometheus sends as its bearer token; empty: staff only.

    Raises PlatformError for a token that could be guessed.
    """
    if token and len(token) < SHORTEST:
        raise PlatformError(f"{VARIABLE} is too short: use at least {SHORTEST} signs, or leave it out")
    read = tuple(registries)

    async def answer(request: Request) -> Response:
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        parts = [await run_in_threadpool(encode, registry) for registry in read]
        body = b"".join(part.removesuffix(b"# EOF\n") for part in parts)
        end = b"# EOF\n" if parts and parts[-1].endswith(b"# EOF\n") else b""
        return Response(body + end, headers={"content-type": kind, "cache-control": "no-store"})

    staff = require(Role.INSTRUCTOR)(answer)

    async def metrics(request: Request) -> Response:
        if _is_prometheus(request, token):
            return await answer(request)
        answered = await staff(request)
        if answered.status_code in REDIRECTS and "authorization" in request.headers:
            # A program can do nothing with a login page.
            raise HTTPException(401, f"That token opens nothing here: see {VARIABLE}.")
        return answered

    return Route(path, metrics, methods=["GET"])


def _is_prometheus(request: Request, token: str) -> bool:
    sent = request.headers.get("authorization", "").encode()
    return bool(token) and hmac.compare_digest(sent, f"Bearer {token}".encode())
