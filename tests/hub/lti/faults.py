"""What can go wrong between tool and platform, at a chosen request: drops, refusals, hostile answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send


class Kind(Enum):
    """BEFORE, AFTER: the connection is dropped before or after the request took effect. MIDWAY: after it,
    in the middle of the answer. ANSWER: another answer is given, and nothing takes effect. LATE: the
    request takes effect, another answer is given. ENDLESS: an answer without end. SILENT: none comes."""

    BEFORE = "before"
    AFTER = "after"
    MIDWAY = "midway"
    ANSWER = "answer"
    LATE = "late"
    ENDLESS = "endless"
    SILENT = "silent"


@dataclass(frozen=True)
class Fault:
    """``status``, ``headers`` and ``body`` are of ANSWER and LATE."""

    kind: Kind
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"[]"


Rule = Callable[[int, str, str], Fault | None]


def at(number: int, fault: Fault) -> Rule:
    """At the request of this number, counted from 1."""
    return lambda count, method, path: fault if count == number else None


def on(end: str, fault: Fault, method: str = "", times: int = 1_000_000) -> Rule:
    """At the first requests whose path ends so."""
    left = [times]

    def rule(count: int, asked: str, path: str) -> Fault | None:
        if not path.endswith(end) or asked != (method or asked) or not left[0]:
            return None
        left[0] -= 1
        return fault

    return rule


class Faulty:
    """Around the platform: counts requests and breaks the chosen ones. ``rule`` None: all goes well."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.rule: Rule | None = None
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.count += 1
        fault = self.rule(self.count, scope["method"], scope["path"]) if self.rule else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        if fault.kind in (Kind.AFTER, Kind.MIDWAY, Kind.LATE):
            await self.app(scope, receive, _nobody)
        await self._break(fault, receive, send)

    async def _break(self, fault: Fault, receive: Receive, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in fault.headers.items()]
        if fault.kind in (Kind.BEFORE, Kind.AFTER):
            await _drop(receive)
        elif fault.kind is Kind.MIDWAY:
            await _start(send, 200, [(b"content-length", b"1000")])
            await send({"type": "http.response.body", "body": b"[", "more_body": True})
            await _drop(receive)
        elif fault.kind is Kind.ENDLESS:
            await _start(send, 200, [])
            while True:  # until the client has had enough
                await send({"type": "http.response.body", "body": b" " * 2**18, "more_body": True})
                if _transport(receive).is_closing():
                    return
                await asyncio.sleep(0)
        elif fault.kind is Kind.SILENT:
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await _start(send, fault.status, headers)
            await send({"type": "http.response.body", "body": fault.body})


async def _start(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _nobody(message: Any) -> None:
    """The answer that nobody gets."""


def _transport(receive: Any) -> Any:
    """The connection itself: ``receive`` is a method of uvicorn's cycle of a request."""
    return receive.__self__.transport


async def _drop(receive: Any) -> None:
    """Ends the connection without another byte, as a machine that loses power does."""
    _transport(receive).abort()
    cycle = receive.__self__
    while not cycle.disconnected:
        await asyncio.sleep(0)
