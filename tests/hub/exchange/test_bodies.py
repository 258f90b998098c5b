"""Bodies end: in bytes and in time."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from hub.exchange.bodies import BodyLimits
from hub.exchange.pace import Pace, Paces, TooOften


async def read(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def status(path: str, chunks: list[bytes], *, stalls: bool = False) -> int:
    """The status of a request whose body comes in chunks, and maybe never ends."""
    app = Starlette(
        routes=[Route("/page", read, methods=["POST"]), Route("/api/x", read, methods=["POST"])],
        middleware=[Middleware(BodyLimits, exempt="/api/", most=100, seconds=0.2)],
    )
    rest = iter(chunks)
    statuses: list[int] = []

    async def receive() -> Message:
        chunk = next(rest, None)
        if chunk is None and stalls:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "app": app,
    }
    asyncio.run(app(scope, receive, send))
    return statuses[0]


def test_a_page_takes_a_short_body_only() -> None:
    assert status("/page", [b"0" * 100]) == 200
    assert status("/page", [b"0" * 60] * 2) == 413
    assert status("/api/x", [b"0" * 60] * 2) == 200


@pytest.mark.parametrize("path", ["/page", "/api/x"])
def test_a_body_that_never_ends_is_given_up(path: str) -> None:
    assert status(path, [b"0"], stalls=True) == 408


class Hands:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def turns(paces: Paces, name: str, count: int) -> int:
    """How many of these turns were given."""
    given = 0
    for _ in range(count):
        try:
            with paces.turn(name):
                given += 1
        except TooOften:
            pass
    return given


def test_an_allowance_fills_up_again_and_is_each_persons_own() -> None:
    clock = Hands()
    paces = Paces(Pace(burst=3, every=10, together=2), clock)
    assert turns(paces, "ada", 5) == 3
    assert turns(paces, "grace", 1) == 1
    clock.now += 20
    assert turns(paces, "ada", 5) == 2
    with pytest.raises(TooOften) as slowed, paces.turn("ada"):
        pass
    assert slowed.value.seconds == 10


def test_few_run_at_the_same_time() -> None:
    paces = Paces(Pace(burst=9, every=10, together=2), Hands())
    with paces.turn("ada"), paces.turn("ada"):
        assert turns(paces, "ada", 1) == 0
        assert turns(paces, "grace", 1) == 1
    assert turns(paces, "ada", 1) == 1


def test_people_are_forgotten_when_their_allowance_is_full() -> None:
    clock = Hands()
    paces = Paces(Pace(burst=1, every=1, together=1), clock)
    for number in range(10_001):
        turns(paces, str(number), 1)
    clock.now += 2
    turns(paces, "ada", 1)
    assert len(paces._left) == 1
