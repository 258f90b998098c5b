"""Speaks to the exchange's API for command lines and plug-ins.

Contract: what the service refuses is a SubmissionError with its words; a service that doesn't answer
is asked again for forty seconds (all of its calls may be repeated: submitting twice is submitting
once), then it is a PlatformError. Answers are parsed into the exchange's records here.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from autograder.errors import PlatformError, SubmissionError
from hub.exchange.receipts import SignedReceipt, receipt_of
from hub.exchange.records import Member, Returned, Role, StoredFile, Submission

URL, TOKEN = "MLSYS_COURSE_URL", "JUPYTERHUB_API_TOKEN"
SECONDS = 120.0
TRIES = 10
FIRST_WAIT, LONGEST_WAIT = 0.25, 8.0
AGAIN = frozenset({429, 502, 503, 504})

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class CourseSeen:
    """The course as somebody sees it."""

    id: str
    title: str
    member: Member
    receipt_key: str


@dataclass(frozen=True)
class Offer:
    """An assignment as somebody sees it. ``files`` and ``version`` are empty for what is not out."""

    assignment: str
    due: datetime
    closes: datetime
    left: int
    released: bool
    version: str
    files: tuple[StoredFile, ...]
    accepts: tuple[str, ...]


class CourseClient:
    """One person's way to the exchange."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``url``: the course service's, without the API's path."""
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"token {token}"},
            timeout=SECONDS,
            transport=transport,
            trust_env=False,
        )
        self._sleep = sleep

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> CourseClient:
        """The person whose server this is. Raises PlatformError outside a hub."""
        missing = [name for name in (URL, TOKEN) if not environment.get(name)]
        if missing:
            raise PlatformError(
                f"{' and '.join(missing)} not set; use the exchange from your server on the hub"
            )
        return cls(environment[URL], environment[TOKEN])

    def __enter__(self) -> CourseClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # everybody

    def course(self) -> CourseSeen:
        found = self._ask("GET", "course")
        return CourseSeen(found["course"], found["title"], _member(found["member"]), found["receipt_key"])

    def assignments(self) -> tuple[Offer, ...]:
        return tuple(map(_offer, self._ask("GET", "assignments")["assignments"]))

    def fetch(self, assignment: str) -> dict[str, bytes]:
        return _decoded(self._ask("GET", f"assignments/{_part(assignment)}/files"))

    def submit(self, assignment: str, files: Files) -> SignedReceipt:
        return receipt_of(self._ask("POST", f"assignments/{_part(assignment)}/submissions", files=files))

    def submissions(
        self, student: str | None = None, assignment: str | None = None
    ) -> tuple[Submission, ...]:
        """Oldest first. ``student``: None for oneself, and for staff for everybody."""
        found = self._ask("GET", "submissions", student=student, assignment=assignment)
        return tuple(map(_submission, found["submissions"]))

    def receipt(self, submission: Submission) -> SignedReceipt:
        return receipt_of(self._ask("GET", f"submissions/{submission.id}/receipt"))

    def read_submission(self, submission: Submission) -> dict[str, bytes]:
        return _decoded(self._ask("GET", f"submissions/{submission.id}/files"))

    def returned(self, student: str | None = None, assignment: str | None = None) -> tuple[Returned, ...]:
        """Newest first."""
        found = self._ask("GET", "feedback", student=student, assignment=assignment)
        return tuple(map(_returned, found["feedback"]))

    def read_returned(self, returned: Returned) -> dict[str, bytes]:
        return _decoded(self._ask("GET", f"feedback/{returned.id}/files"))

    # staff

    def release(self, assignment: str, files: Files) -> None:
        self._ask("PUT", f"assignments/{_part(assignment)}/release", files=files)

    def withdraw(self, assignment: str) -> None:
        self._ask("DELETE", f"assignments/{_part(assignment)}/release")

    def give_back(self, student: str, assignment: str, files: Files, *, sha256: str, attempt: int) -> None:
        path = f"assignments/{_part(assignment)}/feedback/{_part(student)}"
        self._ask("POST", path, files=files, sha256=sha256, attempt=str(attempt))

    def _ask(
        self, method: str, path: str, *, files: Files | None = None, **query: str | None
    ) -> dict[str, Any]:
        given = [("file", (name, data)) for name, data in files.items()] if files is not None else None
        asked = {name: value for name, value in query.items() if value is not None}
        response = self._answer(method, path, params=asked, files=given)
        try:
            found = response.json()
            if not isinstance(found, dict):
                raise ValueError("no object")
        except ValueError as error:
            raise PlatformError(
                f"the course service's answer can't be read ({response.status_code})"
            ) from error
        if response.is_success:
            return found
        words = f"{found.get('error', response.status_code)}; {found.get('do', 'try again later')}"
        raise PlatformError(words) if response.status_code >= 500 else SubmissionError(words)

    def _answer(self, method: str, path: str, **given: Any) -> httpx.Response:
        """The service's answer; a service that is being started again is waited for."""
        wait = FIRST_WAIT
        for tried in range(1, TRIES + 1):
            try:
                response = self._http.request(method, path, **given)
            except httpx.TransportError as error:
                if tried == TRIES:
                    raise PlatformError(
                        f"the course service does not answer: {error}; try again later"
                    ) from error
            else:
                if response.status_code not in AGAIN or tried == TRIES:
                    return response
                wait = max(wait, _asked_wait(response))
            self._sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        raise AssertionError("unreachable")


def _asked_wait(response: httpx.Response) -> float:
    asked = response.headers.get("retry-after", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdecimal() else 0.0


def _part(name: str) -> str:
    """One part of a path, whatever is in it."""
    if name in ("", ".", ".."):
        raise SubmissionError(f"{name!r} is no name; name an assignment such as 07-autograd")
    return quote(name, safe="")


def _decoded(found: Mapping[str, Any]) -> dict[str, bytes]:
    try:
        return {
            str(each["name"]): base64.b64decode(each["content"], validate=True) for each in found["files"]
        }
    except (KeyError, TypeError, binascii.Error) as error:
        raise PlatformError("the course service's files can't be read; try again") from error


def _files(found: Sequence[Mapping[str, Any]]) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(each["name"], each["size"], each["sha256"]) for each in found)


def _member(found: Mapping[str, Any]) -> Member:
    return Member(found["name"], Role(found["role"]), found["full_name"], found["email"])


def _offer(found: Mapping[str, Any]) -> Offer:
    return Offer(
        assignment=found["assignment"],
        due=datetime.fromisoformat(found["due"]),
        closes=datetime.fromisoformat(found["closes"]),
        left=found["left"],
        released=found["released"],
        version=found["version"] or "",
        files=_files(found["files"]),
        accepts=tuple(found["accepts"]),
    )


def _submission(found: Mapping[str, Any]) -> Submission:
    return Submission(
        id=found["id"],
        student=found["student"],
        assignment=found["assignment"],
        number=found["number"],
        received=datetime.fromisoformat(found["received"]),
        sha256=found["sha256"],
        files=_files(found["files"]),
        ignored=tuple(found["ignored"]),
        late=timedelta(seconds=found["late"]),
    )


def _returned(found: Mapping[str, Any]) -> Returned:
    return Returned(
        id=found["id"],
        student=found["student"],
        assignment=found["assignment"],
        sha256=found["sha256"],
        attempt=found["attempt"],
        returned=datetime.fromisoformat(found["returned"]),
        files=_files(found["files"]),
    )
