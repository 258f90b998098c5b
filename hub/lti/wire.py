"""HTTP to a platform: the one place that opens connections.

Theory of operation. Only registered hosts are spoken to, never a redirect's target. Each request has
timeouts for connecting and for silence, and a deadline for the whole answer; an answer has a size that it
may not pass, and comes unpacked (a small packed one could become a huge one). A connection that breaks,
429 and 5xx are tried again after a pause that doubles, or the one that the platform asks for. What the
caller says must not be repeated (`Again.NEVER`) isn't: whether it took effect nobody knows.

Contract: safe from several threads, each with a connection of its own. Errors and logs name address,
status and at most an error code of a few plain letters: never a header, a body or a token.
"""

from __future__ import annotations

import http
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from types import TracebackType

import requests
import urllib3

from autograder.errors import PlatformError
from hub.lti.addresses import is_loopback, require_host
from hub.lti.deadline import DeadlineAdapter
from hub.lti.text import Unreadable, shown

CONNECT_SECONDS, SILENCE_SECONDS, WHOLE_SECONDS = 10.0, 30.0, 90.0
MEGABYTE = 1 << 20
TRIES = 4
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
CHUNK = 1 << 16
AGAIN = frozenset({429, 500, 502, 503, 504})
AGENT = "mlsys-course"

Body = bytes | Callable[[], bytes] | None


class Again(Enum):
    """Whether a request may be sent twice."""

    MAY = "may"
    NEVER = "never"


class Stopped(PlatformError):
    """A person asked to stop."""


class Unreachable(PlatformError):
    """The platform didn't answer, or broke off: what was sent may have taken effect."""


@dataclass(frozen=True)
class Pace:
    """How patient the wire is; tests shorten it. Seconds."""

    connect: float = CONNECT_SECONDS
    silence: float = SILENCE_SECONDS
    whole: float = WHOLE_SECONDS
    first_wait: float = FIRST_WAIT
    longest_wait: float = LONGEST_WAIT
    tries: int = TRIES


@dataclass(frozen=True)
class Answer:
    """``body`` isn't shown: it may hold a token."""

    url: str
    status: int
    link: str
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({shown(self.url)}, {self.status})"

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Wire:
    """Connections to one platform's hosts, open until ``close``."""

    def __init__(
        self,
        hosts: tuple[str, ...],
        *,
        pace: Pace | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """``stop``: once it is set, nothing is waited for and nothing more is sent."""
        self.hosts = hosts
        self.pace = pace or Pace()
        self.stop = stop or threading.Event()
        self._own = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()
        self._ahead = timedelta(0)

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for session in self._sessions:
            session.close()

    @property
    def ahead(self) -> timedelta:
        """By how much this machine's clock is ahead of the platform's, as its last answer told."""
        return self._ahead

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body = None,
        *,
        what: str,
        most: int = MEGABYTE,
        again: Again = Again.MAY,
    ) -> Answer:
        """The answer, whatever its status. ``most``: bytes that it may have; ``body``: a function where each
        try needs another one.

        Raises Elsewhere for another host, Unreachable, Unreadable for what is too large or a redirect,
        Stopped.
        """
        require_host(url, self.hosts, what)
        wait = self.pace.first_wait
        for tried in range(1, self.pace.tries + 1):
            if self.stop.is_set():
                raise Stopped(f"stopped before {what}")
            last = tried == self.pace.tries or again is Again.NEVER
            try:
                sent = body() if callable(body) else body
                answer, asked = self._once(method, url, headers, sent, what, most)
            except Unreachable:
                if last:
                    raise
                asked = 0.0
            else:
                if answer.status not in AGAIN or last:
                    return answer
            self.wait(self._pause(wait, asked, what))
            wait = min(2 * wait, self.pace.longest_wait)
        raise AssertionError("unreachable")

    def wait(self, seconds: float) -> None:
        """Raises Stopped where a person stops meanwhile."""
        if self.stop.wait(seconds):
            raise Stopped("stopped while waiting for the platform")

    def _pause(self, wait: float, asked: float, what: str) -> float:
        if asked > self.pace.longest_wait:
            raise Unreachable(
                f"{what}: the platform asks to wait {asked:.0f} seconds; run the same again after that"
            )
        return max(wait, asked)

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, what: str, most: int
    ) -> tuple[Answer, float]:
        """An answer, and the seconds that it asks to wait."""
        deadline = time.monotonic() + self.pace.whole
        try:
            with self._session(url).request(
                method,
                url,
                headers={**headers, "Accept-Encoding": "identity", "User-Agent": AGENT},
                data=body,
                timeout=(self.pace.connect, self.pace.silence),
                allow_redirects=False,
                stream=True,
                auth=_as_it_is,
            ) as response:
                self._note_clock(response)
                _require_no_redirect(response, what)
                data = _read(response, most, deadline, what)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # The error's own words may hold the request; its kind says enough.
            kind = type(error).__name__
            raise Unreachable(
                f"{what}: {shown(url)} doesn't answer as it should ({kind}); see whether the platform is up, "
                "then run the same again"
            ) from None
        answer = Answer(url, response.status_code, response.headers.get("Link", ""), data)
        return answer, _asked_wait(response.headers.get("Retry-After", ""))

    def _session(self, url: str) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = requests.Session()
            for scheme in ("https://", "http://"):
                session.mount(scheme, DeadlineAdapter(self.pace.whole))
            with self._lock:
                self._sessions.append(session)
        # The administrator's proxy and certificates count, but for the loopback.
        session.trust_env = not is_loopback(url)
        return session

    def _note_clock(self, response: requests.Response) -> None:
        try:
            theirs = parsedate_to_datetime(response.headers["Date"])
            self._ahead = datetime.now(UTC) - theirs
        except (KeyError, TypeError, ValueError, OverflowError):
            return  # it doesn't say


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """In place of what requests would take from ~/.netrc, over our own header."""
    return request


def _require_no_redirect(response: requests.Response, what: str) -> None:
    if 300 <= response.status_code < 400:
        raise Unreadable(
            f"{what}: the platform answers {response.status_code} and points elsewhere, where no token is "
            "sent; register the address that it really has"
        )


def _read(response: requests.Response, most: int, deadline: float, what: str) -> bytes:
    """The body, as far as it keeps to size and time."""
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise Unreadable(f"{what}: the platform's answer is packed, though that wasn't asked for")
    data = bytearray()
    while part := response.raw.read1(CHUNK):
        data += part
        if len(data) > most:
            raise Unreadable(f"{what}: the platform's answer is larger than {most} bytes")
        if time.monotonic() > deadline:
            raise Unreachable(f"{what}: the platform's answer takes too long; run the same again later")
    return bytes(data)


def _asked_wait(text: str) -> float:
    """The seconds of a Retry-After header, a number or a date; 0 for none."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return 0.0


def status_words(status: int) -> str:
    """Such as ``409 Conflict``."""
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
