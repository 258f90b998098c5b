"""Who asks: the hub's word, never the request's own.

Theory of operation. A request with an ``Authorization`` header is judged by that token alone (students'
servers, command lines); any other by the cookie that the OAuth login left (browsers). Either way the
token is shown to the hub, whose answer is believed for ``CACHE_SECONDS``: a revoked token stops
working within that time. The hub must name a user (not a service), and the token must carry access to
this service (``access:services!service=course``). Without that check a student's server could use the
token that a visiting instructor's login leaves there. The server of each user has such a token
(``c.Spawner.server_token_scopes``), and so has every login to the pages. What somebody may do here is
their role on the roster, not what they are in the hub.

Trusts: the hub, and TLS in front of it. Students' servers share the hub's host name, so cookies alone
prove little: see ``hub.exchange.guard``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from jupyterhub.services.auth import HubOAuth
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from tornado.web import HTTPError

from autograder.errors import PlatformError, SubmissionError
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member

CACHE_SECONDS = 30
LOGIN_SECONDS = 600
HEADER = re.compile(r"(?:token|bearer) +([A-Za-z0-9._~+/=-]{8,256})", re.IGNORECASE)
TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,256}")

log = logging.getLogger(__name__)


class Identity(Protocol):
    """Tells who asks. ``routes`` are mounted beside the pages: the end of a login, and logout."""

    @property
    def routes(self) -> Sequence[Route]: ...

    async def of_request(self, request: Request) -> Member | None:
        """Called for each request; None for nobody.

        A request that has an ``Authorization`` header is judged by it alone. May set
        ``request.state.session`` to a text that is the same for one login and no other.
        """

    def login_redirect(self, request: Request) -> Response:
        """Called for a page that nobody asks for: where to log in, and back."""


@dataclass(frozen=True)
class _Login:
    """A login on its way, as the browser's signed cookie keeps it."""

    state: str
    verifier: str
    next: str
    until: float


class HubIdentity:
    """JupyterHub's word, by its own client."""

    def __init__(self, exchange: Exchange, auth: HubOAuth | None = None, *, public_url: str = "") -> None:
        """``auth``: set up from the environment that JupyterHub gives a service unless given.
        ``public_url``: the address that people type, if it is known. Raises PlatformError."""
        self.exchange = exchange
        self.auth = auth or HubOAuth(cache_max_age=CACHE_SECONDS)
        if not (self.auth.api_token and self.auth.oauth_client_id and self.auth.access_scopes):
            raise PlatformError("the course service isn't started by JupyterHub; run `mlsys up`")
        self._secret = exchange.secret("login")
        self._is_https = public_url.startswith("https:")

    @property
    def routes(self) -> Sequence[Route]:
        return (Route("/oauth_callback", self._callback), Route("/logout", self._logout))

    async def of_request(self, request: Request) -> Member | None:
        header = request.headers.get("authorization")
        if header is not None:
            found = HEADER.fullmatch(header)
            return await self._member(found[1]) if found else None
        token = request.cookies.get(self.auth.cookie_name, "")
        if not TOKEN.fullmatch(token):
            return None
        request.state.session = hashlib.sha256(token.encode()).hexdigest()
        return await self._member(token, request.cookies.get("jupyterhub-session-id", ""))

    def login_redirect(self, request: Request) -> Response:
        verifier, challenge, method = self.auth.generate_pkce_code_challenge()
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        login = _Login(secrets.token_urlsafe(16), verifier, wanted, time.time() + LOGIN_SECONDS)
        asked = {"state": login.state, "code_challenge": challenge, "code_challenge_method": method}
        response = RedirectResponse(f"{self.auth.login_url}&{urlencode(asked)}", 302)
        self._set_cookie(request, response, self._login_cookie, self._sealed(login), LOGIN_SECONDS)
        return response

    async def _callback(self, request: Request) -> Response:
        """The hub sends the browser here with a code; the state must be the one of this browser's cookie."""
        login = self._opened(request.cookies.get(self._login_cookie, ""))
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        if login is None or not hmac.compare_digest(state.encode(), login.state.encode()):
            raise HTTPException(403, "This login was not begun here, or took too long. Open the page again.")
        if not TOKEN.fullmatch(code):
            raise HTTPException(403, "The hub did not let you in. Ask your instructor.")
        try:
            token = await self.auth.token_for_code(code, code_verifier=login.verifier, sync=False)
        except HTTPError as error:
            raise HTTPException(403, "The hub does not know this login. Open the page again.") from error
        if await self._member(token) is None:
            raise HTTPException(403, "You may not use this course's pages. Ask your instructor.")
        response = RedirectResponse(self._within(login.next), 302)
        self._set_cookie(request, response, self.auth.cookie_name, token, None)
        response.delete_cookie(self._login_cookie, path=self.auth.base_url)
        return response

    async def _logout(self, request: Request) -> Response:
        """Forgets this browser's token; the hub then ends the session, and with it the token."""
        response = RedirectResponse(f"{self.auth.hub_host}{self.auth.hub_prefix}logout", 302)
        response.delete_cookie(self.auth.cookie_name, path=self.auth.base_url)
        return response

    async def _member(self, token: str, session: str = "") -> Member | None:
        try:
            model = await self.auth.user_for_token(token, session_id=session[:64], sync=False)
        except HTTPError as error:
            raise PlatformError("the hub does not answer; try again in a moment") from error
        if model is None or not self._may_enter(model):
            return None
        try:
            return await run_in_threadpool(self.exchange.member, str(model["name"]))
        except SubmissionError as error:
            log.warning("a user of the hub can't be a student here: %s", error)
            return None

    def _may_enter(self, model: dict[str, Any]) -> bool:
        if model.get("kind") != "user":
            return False
        return bool(self.auth.check_scopes(self.auth.access_scopes, model))

    @property
    def _login_cookie(self) -> str:
        return f"{self.auth.cookie_name}-login"

    def _set_cookie(
        self, request: Request, response: Response, name: str, value: str, seconds: int | None
    ) -> None:
        is_https = self._is_https or request.url.scheme == "https"
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self.auth.base_url,
            secure=is_https,
            httponly=True,
            samesite="lax",
        )

    def _within(self, path: str) -> str:
        """A page of ours, never another site."""
        inside = path.startswith(self.auth.base_url) and not path.startswith("//") and "\\" not in path
        return path if inside else self.auth.base_url

    def _sealed(self, login: _Login) -> str:
        text = json.dumps([login.state, login.verifier, login.next, login.until]).encode()
        return ".".join(base64.urlsafe_b64encode(part).decode() for part in (text, self._mac(text)))

    def _opened(self, cookie: str) -> _Login | None:
        try:
            text, mac = (base64.urlsafe_b64decode(part) for part in cookie.split("."))
            if not hmac.compare_digest(mac, self._mac(text)):
                return None
            login = _Login(*json.loads(text))
        except ValueError:
            return None
        return login if time.time() < login.until else None

    def _mac(self, text: bytes) -> bytes:
        return hmac.new(self._secret, text, hashlib.sha256).digest()
