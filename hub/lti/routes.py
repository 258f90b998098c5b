"""The tool's public keys, for platforms: the one address of the course service that anybody may read."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.exchange.exchange import Exchange
from hub.lti.keys import tool_keys

PATH = "/lti/jwks"
SECONDS = 300  # a prepared key is there long before it signs


def lti_routes(exchange: Exchange) -> list[Route]:
    """To be mounted at the service's prefix. Public keys only, whoever asks and with whatever token."""

    async def jwks(request: Request) -> Response:
        keys = await run_in_threadpool(tool_keys, exchange.course_dir)
        return JSONResponse(keys.jwks(), headers={"Cache-Control": f"public, max-age={SECONDS}"})

    return [Route(PATH, jwks, methods=["GET"])]
