"""Access tokens: asked for with an assertion that the tool's key signs, kept in memory until they end.

Contract: safe from several threads; one token for all that the tool does with a platform. A token is never
written anywhere, nor shown by repr.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import jwt

from autograder.errors import PlatformError
from hub.lti.keys import ALGORITHM, ToolKey
from hub.lti.records import Registration
from hub.lti.text import Unreadable, mapping, parse_json
from hub.lti.wire import Answer, Wire, status_words

ASSERTION_SECONDS = 60
USUAL_SECONDS, LEAST_SECONDS, MOST_SECONDS = 3600, 1, 86400
MARGIN_SECONDS = 30.0  # a token that ends so soon is renewed first
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")  # RFC 6750, b64token: fit for a header
ERROR = re.compile(r"[a-z_]{1,40}")  # RFC 6749's codes; anything else might be what we sent
WHAT = "asking for a token"


@dataclass(frozen=True)
class _Token:
    text: str = field(repr=False)
    until: float
    scopes: frozenset[str]


class Tokens:
    """The tool's token for one platform."""

    def __init__(
        self,
        wire: Wire,
        registration: Registration,
        key: ToolKey,
        scopes: tuple[str, ...],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``scopes``: those that are asked for; the platform may grant fewer."""
        self._wire, self._registration, self._key = wire, registration, key
        self._scopes, self._clock = scopes, clock
        self._lock = threading.Lock()
        self._token: _Token | None = None

    def bearer(self) -> str:
        """A token that is good for a while. Raises PlatformError."""
        with self._lock:
            return self._current().text

    def renewed(self, refused: str) -> str:
        """A token other than the one that the platform refused."""
        with self._lock:
            if self._token is not None and self._token.text == refused:
                self._token = None
            return self._current().text

    def granted(self) -> frozenset[str]:
        """The scopes that the platform gave."""
        with self._lock:
            return self._current().scopes

    def _current(self) -> _Token:
        if self._token is None or self._clock() > self._token.until - MARGIN_SECONDS:
            self._token = self._ask()
        return self._token

    def _ask(self) -> _Token:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        asked = self._clock()
        # Each try has an assertion of its own: a platform takes each jti once.
        answer = self._wire.send("POST", self._registration.token_url, headers, self._form, what=WHAT)
        if not answer.is_success:
            raise PlatformError(
                f"{WHAT}: the platform refuses with {status_words(answer.status)}{_code(answer)}; see "
                "whether it has the tool's key (`mlsys lti keys`), and whether client id, token URL and "
                "audience are those that it shows"
            )
        return self._read(answer, asked)

    def _form(self) -> bytes:
        return urlencode(
            {
                "grant_type": "client_credentials",
                "client_assertion_type": TYPE,
                "client_assertion": self._assertion(),
                "scope": " ".join(self._scopes),
            }
        ).encode()

    def _assertion(self) -> str:
        now = int(self._clock())
        claims = {
            "iss": self._registration.client_id,
            "sub": self._registration.client_id,
            "aud": self._registration.audience or self._registration.token_url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
        return jwt.encode(claims, self._key.private, ALGORITHM, headers={"kid": self._key.kid})

    def _read(self, answer: Answer, asked: float) -> _Token:
        found = mapping(parse_json(answer.body, WHAT), WHAT)
        text, kind, seconds = found.get("access_token"), found.get("token_type"), found.get("expires_in")
        if not isinstance(text, str) or not TOKEN.fullmatch(text):
            raise Unreadable(f"{WHAT}: the platform's answer has no usable token; ask its administrator")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise Unreadable(f"{WHAT}: the platform gives out tokens of a kind that LTI doesn't have")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < LEAST_SECONDS:
            seconds = USUAL_SECONDS
        scope = found.get("scope")
        scopes = scope.split() if isinstance(scope, str) else self._scopes
        return _Token(text, asked + min(seconds, MOST_SECONDS), frozenset(scopes))


def _code(answer: Answer) -> str:
    """OAuth's error code, if it is one; the body besides may repeat our assertion."""
    try:
        code = mapping(parse_json(answer.body, WHAT), WHAT).get("error")
    except Unreadable:
        return ""
    return f" ({code})" if isinstance(code, str) and ERROR.fullmatch(code) else ""
