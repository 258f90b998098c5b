"""The answers of pages: HTML, downloads, and a student's own pages in a cage.

Contract: everything here is personal and is kept by no cache. A download never runs in the browser: it
is an attachment of a type that isn't looked at.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.exchange.records import Member
from hub.pages.links import Links, said
from hub.pages.rendering import distance, fingerprint, moment, render
from hub.pages.site import Site, Visit

PERSONAL = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
CAGE = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NOTHING = "default-src 'none'; sandbox; frame-ancestors 'none'"


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page for the visitor."""
    return _html(visit.site, visit.request, visit.member, template, status, values)


def error_page(site: Site, request: Request, status: int, message: str) -> Response:
    """What went wrong, for whoever asked."""
    member = getattr(request.state, "member", None)
    return _html(site, request, member, "error.html.j2", status, {"status": status, "message": message})


def _html(
    site: Site, request: Request, member: Member | None, template: str, status: int, values: dict[str, Any]
) -> Response:
    now, zone = site.now(), site.course.timezone
    known = {
        "course": site.course,
        "settings": site.settings,
        "member": member,
        "links": Links(request),
        "xsrf": getattr(request.state, "xsrf", ""),
        "now": now,
        "moment": lambda value: moment(value, zone),
        "distance": lambda value: distance(value, now),
        "fingerprint": fingerprint,
        "said": said(request),
    }
    html, policy = render(template, {**known, **values})
    return HTMLResponse(html, status, headers={**PERSONAL, "Content-Security-Policy": policy})


def go(visit: Visit, name: str, said: str = "", /, **parts: str) -> Response:
    """After a form: on to a page, which says what was done."""
    address = Links(visit.request).to(name, **parts)
    return RedirectResponse(f"{address}?said={quote(said)}" if said else address, 303, headers=PERSONAL)


def download(name: str, data: bytes, kind: str = "application/octet-stream") -> Response:
    """A file to keep."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    headers = {
        **PERSONAL,
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": NOTHING,
    }
    return Response(data, media_type=kind, headers=headers)


def caged(data: bytes) -> Response:
    """A page whose content derives from a student's output: shown, but it can do nothing."""
    return HTMLResponse(data, headers={**PERSONAL, "Content-Security-Policy": CAGE})
