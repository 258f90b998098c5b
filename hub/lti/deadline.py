"""An adapter for requests that gives the head of an answer a deadline, not only each piece of it.

A timeout of requests is for silence: a platform that sends a header's letter every few seconds would hold a
connection for hours. Past the deadline the connection is shut down, which ends the reading as a
broken connection does. The body has its deadline where it is read, see ``hub.lti.wire``.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse


class DeadlineAdapter(HTTPAdapter):
    """``seconds``: from the end of a request to the end of the answer's head."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        seconds = self._seconds

        class Plain(HTTPConnection):
            def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
                with _shut_after(seconds, self.sock):
                    return super().getresponse()

        class Secure(HTTPSConnection):
            def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
                with _shut_after(seconds, self.sock):
                    return super().getresponse()

        plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        secure = type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": Secure})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}


@contextlib.contextmanager
def _shut_after(seconds: float, connection: socket.socket | None) -> Iterator[None]:
    """Raises TimeoutError where it came to that: half a head would pass for a whole one."""
    late = threading.Event()

    def shut() -> None:
        late.set()
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError("the head of the answer took too long")
