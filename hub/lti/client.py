"""Asks a platform's services with a token: pages of a list, an object, something posted.

Contract: a token that the platform refuses is renewed once. Statuses that concern the tool and not one
student (401, 403, 404, 405, 415 …) are PlatformErrors with what to do; the caller judges the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from autograder.errors import PlatformError
from hub.lti.addresses import next_page
from hub.lti.text import Unreadable, parse_json, shown
from hub.lti.tokens import Tokens
from hub.lti.wire import MEGABYTE, Again, Answer, Wire, status_words

MOST_PAGES = 500
PAGE_BYTES = 32 * MEGABYTE
UNAUTHORIZED = 401
ADVICE = {
    401: "it doesn't accept the tool's token",
    403: "the tool may not do this: allow it the services for grades, columns and names there",
    404: "there is nothing at the address: was the course or the column deleted there?",
    405: "the address isn't that of the service",
    406: "it doesn't know this kind of content",
    415: "it doesn't know this kind of content",
}


class Client:
    """The services of one platform."""

    def __init__(self, wire: Wire, tokens: Tokens) -> None:
        self.wire = wire
        self.tokens = tokens

    def pages(self, url: str, accept: str, what: str) -> Iterator[Any]:
        """The JSON of each page of a list. Raises PlatformError."""
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) >= MOST_PAGES:
                raise Unreadable(f"{what}: the platform's pages never end; ask its administrator")
            seen.add(url)
            answer = self._send("GET", url, {"Accept": accept}, None, what)
            require_success(answer, what)
            yield parse_json(answer.body, what)
            url = next_page(answer.link)

    def post(
        self,
        url: str,
        content_type: str,
        body: Mapping[str, Any],
        what: str,
        *,
        accept: str = "",
        again: Again = Again.MAY,
    ) -> Answer:
        """The answer, whatever its status."""
        headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
        data = json.dumps(body, allow_nan=False).encode()
        return self._send("POST", url, headers, data, what, again)

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        what: str,
        again: Again = Again.MAY,
    ) -> Answer:
        token = self.tokens.bearer()
        for is_last in (False, True):
            given = {**headers, "Authorization": f"Bearer {token}"}
            answer = self.wire.send(method, url, given, body, what=what, most=PAGE_BYTES, again=again)
            if answer.status != UNAUTHORIZED or is_last:
                return answer
            token = self.tokens.renewed(token)
        raise AssertionError("unreachable")


def require_success(answer: Answer, what: str) -> None:
    """Raises PlatformError for an answer that is none of 2xx."""
    if not answer.is_success:
        advice = ADVICE.get(answer.status, "try again later, or ask its administrator")
        raise PlatformError(f"{what}: {shown(answer.url)} answers {status_words(answer.status)}: {advice}")
