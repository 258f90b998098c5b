"""What this process sees of requests: how many, how long, how submissions were refused.

Contract: labels are the route table's own words, methods and statuses, never a path that somebody typed.
The figures begin at zero with the process; what must outlive it is in ``hub.metrics.stored``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"
REASONS = {
    400: "invalid",
    401: "not logged in",
    403: "not allowed or closed",
    404: "unknown",
    408: "too slow",
    409: "closed",
    411: "invalid",
    413: "too large",
    415: "invalid",
    422: "invalid",
    429: "too often",
}
FAULT = "our fault"
DISCONNECTED = 499


class RequestMetrics:
    """The figures of one process. ``is_submit``: whether a request to this route is a submission."""

    def __init__(self, is_submit: Callable[[str, str], bool]) -> None:
        self.registry = CollectorRegistry()
        self.is_submit = is_submit
        self._requests = Counter(
            "mlsys_http_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "mlsys_http_request_seconds",
            "Time from a request's first byte to its answer's last.",
            ("route", "method"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._submit_seconds = Histogram(
            "mlsys_submit_seconds",
            "Time that a submission took, taken in or not.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._refused = Counter(
            "mlsys_submit_refused", "Submissions that were not taken.", ("reason",), registry=self.registry
        )
        self._received = Counter(
            "mlsys_submit_received_bytes", "Bytes received in submissions.", registry=self.registry
        )
        for reason in (*REASONS.values(), FAULT):
            self._refused.labels(reason)

    def note(self, route: str, method: str, status: int, seconds: float, received: int) -> None:
        """Notes one request that has been answered."""
        method = method if method in METHODS else "other"
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route, method).observe(seconds)
        if self.is_submit(route, method):
            self._submit_seconds.observe(seconds)
            self._received.inc(received)
            if status >= 400:
                self._refused.labels(REASONS.get(status, FAULT if status >= 500 else "invalid")).inc()


class RequestTimes:
    """ASGI middleware that notes each request; the body passes through unread."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, received, start = DISCONNECTED, 0, time.perf_counter()

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except Exception:
            status = 500
            raise
        finally:
            seconds = time.perf_counter() - start
            self.metrics.note(_route(scope), scope["method"], status, seconds, received)


def _route(scope: Scope) -> str:
    """The path of the route table that was taken, with its parameters' names in place of values."""
    route = scope.get("route")
    return route.path if isinstance(route, Route) else NO_ROUTE
