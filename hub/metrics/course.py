"""All metrics of the course service: what ``hub.service`` mounts."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import Route

from hub.exchange.exchange import Exchange
from hub.metrics.access import metrics_route
from hub.metrics.requests import RequestMetrics, RequestTimes
from hub.metrics.stored import StoredMetrics

SUBMIT = "/assignments/{assignment}/submissions"


class CourseMetrics:
    """``route`` and ``middleware`` for the application; open until ``close``."""

    def __init__(self, exchange: Exchange, token: str) -> None:
        """``token``: Prometheus's; empty lets staff alone read. Raises PlatformError for a short one."""
        self.requests = RequestMetrics(is_submit)
        self.stored = StoredMetrics(exchange, exchange.course_dir)
        self.route: Route = metrics_route((self.requests.registry, self.stored.registry), token)
        self.middleware = Middleware(RequestTimes, metrics=self.requests)

    def close(self) -> None:
        self.stored.close()


def is_submit(route: str, method: str) -> bool:
    return method == "POST" and route.endswith(SUBMIT)
