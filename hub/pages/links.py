"""Addresses of pages, below wherever the service is mounted; and what a page says after a form."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.requests import Request

PATHS: dict[str, str] = {
    "course": "/",
    "assignment": "/a/{assignment}",
    "assignment_events": "/a/{assignment}/events",
    "receipt": "/a/{assignment}/receipts/{number}",
    "handed_in": "/a/{assignment}/submissions/{number}/{name}",
    "feedback": "/a/{assignment}/feedback/{returned}/{name}",
    "staff": "/staff",
    "roster": "/staff/roster",
    "staff_assignment": "/staff/a/{assignment}",
    "staff_student": "/staff/s/{student}",
    "staff_receipt": "/staff/s/{student}/a/{assignment}/receipts/{number}",
    "staff_handed_in": "/staff/s/{student}/a/{assignment}/submissions/{number}/{name}",
    "staff_feedback": "/staff/s/{student}/a/{assignment}/feedback/{returned}/{name}",
    "grade": "/staff/a/{assignment}/grade",
    "regrade": "/staff/a/{assignment}/regrade",
    "give_back": "/staff/a/{assignment}/give-back",
    "push": "/staff/a/{assignment}/push",
    "collect": "/staff/a/{assignment}/collect",
    "release": "/staff/a/{assignment}/release",
    "withdraw": "/staff/a/{assignment}/withdraw",
    "extend": "/staff/a/{assignment}/extend",
    "end_extension": "/staff/a/{assignment}/end-extension",
    "jobs": "/staff/jobs",
    "job": "/staff/jobs/{job}",
    "job_events": "/staff/jobs/{job}/events",
    "stop": "/staff/jobs/{job}/stop",
    "export": "/staff/export",
    "export_table": "/staff/export/{table}.csv",
    "static": "/static/{name}",
}
SAID = {
    "released": "The assignment is out: students can fetch it from its release date on.",
    "withdrawn": "The assignment is withdrawn. Nothing was deleted.",
    "collected": "Submissions were collected into the course directory.",
    "nothing-new": "Every submission was collected already.",
    "extended": "The extension is granted.",
    "ended": "The extension is ended; the course's due date holds again.",
    "stopping": "The job was asked to stop. What is being judged is finished first.",
}


class Links:
    """The addresses of pages as this request sees them."""

    def __init__(self, request: Request) -> None:
        self.root = str(request.scope.get("root_path", "")).rstrip("/")

    def to(self, page: str, /, **parts: object) -> str:
        """The address of a page."""
        quoted = {key: quote(str(value), safe="") for key, value in parts.items()}
        return self.root + PATHS[page].format(**quoted)

    def with_query(self, page: str, query: dict[str, object], /, **parts: object) -> str:
        """The address of a page with a query; empty values are left out."""
        kept = {key: str(value) for key, value in query.items() if value not in ("", None)}
        address = self.to(page, **parts)
        return f"{address}?{urlencode(kept)}" if kept else address

    def logout(self) -> str:
        return f"{self.root}/logout"


def said(request: Request) -> str:
    """What was done, of the sentences that we know: nobody else's words get onto a page by a link."""

    return SAID.get(request.query_params.get("said", ""), "")
