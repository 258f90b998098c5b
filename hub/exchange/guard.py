"""Who may open which route: a decorator for each page, and the defence against forged requests.

``require()`` lets any member of the course in, ``require(Role.INSTRUCTOR)`` staff only. It sets
``request.state.member``, and ``request.state.xsrf`` for forms and scripts to send back.

Theory of operation. Students' servers may share the pages' host name, so a page that a student wrote can
send requests here with the visitor's cookie, and the browser calls them "same origin". Hence, with
a cookie:

- a request that changes something must carry ``request.state.xsrf``: a form field or a query parameter
  ``_xsrf``, or a header ``X-XSRFToken``;
- so must one that a script sends to read (``fetch``, htmx, EventSource): otherwise the token itself
  could be read out of a page;
- a page is not shown inside another one;
- a request that the browser says comes from another site changes nothing, token or not.

The token is bound to the member and to the login. It can't protect from a student's page that opens one
of ours in a window of its own and reads it there: such a page must not get into another's browser, which
the gate before users' servers sees to (`hub.spawner.gate`). A request with an ``Authorization`` header
needs no such token, since no other page can send that.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import cast
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.exchange.identity import Identity
from hub.exchange.records import Member, Role

FIELD, HEADER = "_xsrf", "X-XSRFToken"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_FIELDS, MAX_FILES = 1000, 20

Handler = Callable[[Request], Awaitable[Response]]


def require(role: Role = Role.STUDENT) -> Callable[[Handler], Handler]:
    """Lets only members with this role reach a page; an instructor reaches all."""

    def guarded(handler: Handler) -> Handler:
        @wraps(handler)
        async def reached(request: Request) -> Response:
            identity = cast(Identity, request.app.state.identity)
            member = await identity.of_request(request)
            if member is None:
                if _is_navigation(request):
                    return identity.login_redirect(request)
                raise HTTPException(401, "Log in to the hub, then open this page again.")
            if role is Role.INSTRUCTOR and not member.is_staff:
                raise HTTPException(403, "This page is for instructors.")
            request.state.member = member
            request.state.xsrf = xsrf_token(request, member)
            if "authorization" not in request.headers:
                await _require_our_own(request)
            return await handler(request)

        return reached

    return guarded


def xsrf_token(request: Request, member: Member) -> str:
    """What a page of this member and login sends back."""
    session = getattr(request.state, "session", "")
    key = cast(bytes, request.app.state.xsrf_key)
    return hmac.new(key, f"{member.name}\0{session}".encode(), hashlib.sha256).hexdigest()


async def _require_our_own(request: Request) -> None:
    """Raises 403 for a request that another page may have sent."""
    site = request.headers.get("sec-fetch-site", "")
    is_safe = request.method in SAFE
    if request.headers.get("sec-fetch-dest") in ("iframe", "frame", "embed", "object"):
        raise HTTPException(403, "This page is not shown inside another one. Open it by itself.")
    if is_safe and _is_navigation(request):
        return
    if site not in ("", "same-origin") or not _is_our_origin(request):
        raise HTTPException(403, "Another site sent this request. Open the page here and try again.")
    if not hmac.compare_digest(await _sent_token(request), request.state.xsrf):
        raise HTTPException(403, "This page is from another login, or too old. Reload it and try again.")


def _is_navigation(request: Request) -> bool:
    """Whether the browser opens a page, as far as it says; old browsers don't."""
    return request.method in SAFE and request.headers.get("sec-fetch-mode", "navigate") == "navigate"


def _is_our_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


async def _sent_token(request: Request) -> str:
    """The token in the header, the query or the form; ASCII, so that it can be compared."""
    sent = request.headers.get(HEADER) or request.query_params.get(FIELD)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not sent and kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = await request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES)
        sent = str(form.get(FIELD, ""))
    return sent if sent and sent.isascii() else ""
