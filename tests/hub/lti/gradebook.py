"""The test platform's gradebook, with the behaviours that were observed on Moodle and read in Canvas.

Contract: knows nothing of HTTP. A score gets the status that the platform would give, and does to the
grade what the platform would do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

SERVER_ZONE = timezone(timedelta(hours=2))  # of the platform's server
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
LEARNER, INSTRUCTOR = f"{MEMBERSHIP}#Learner", f"{MEMBERSHIP}#Instructor"
EXTENSION = "https://canvas.instructure.com/lti/submission"
PROGRESS = ("FullyGraded", "Pending", "PendingManual", "Failed", "NotReady")
ACTIVITY = ("Initialized", "Started", "InProgress", "Submitted", "Completed")


@dataclass(frozen=True)
class Person:
    """Somebody at the platform. ``login`` isn't told in the roster unless the platform does so."""

    user_id: str
    login: str = ""
    roles: tuple[str, ...] = (LEARNER,)
    status: str = "Active"
    sis_id: str = ""
    email: str = ""
    name: str = ""

    @property
    def graded(self) -> bool:
        return self.status == "Active" and LEARNER in self.roles


@dataclass
class Kept:
    """What a column keeps of a user. ``score`` is on the column's scale; ``writes``: how often it was
    written by a push; ``submissions``, ``comments``: Canvas'."""

    score: float | None = None
    stamp: datetime | None = None
    overridden: bool = False
    writes: int = 0
    submissions: int = 0
    comments: list[str] = field(default_factory=list)


@dataclass
class Column:
    """``activity``: it belongs to an activity, so an overridden grade doesn't change by a push."""

    number: int
    label: str
    maximum: float
    resource_id: str = ""
    resource_link: str = ""
    tag: str = ""
    activity: bool = False
    kept: dict[str, Kept] = field(default_factory=dict)

    def of(self, user_id: str) -> Kept:
        return self.kept.setdefault(user_id, Kept())

    def override(self, user_id: str, score: float) -> None:
        """A hand's edit, or an import of a file."""
        kept = self.of(user_id)
        kept.score, kept.overridden = score, True

    def rescale(self, maximum: float) -> None:
        """What a new maximum does to the grades that are there."""
        for kept in self.kept.values():
            if kept.score is not None:
                kept.score = kept.score * maximum / self.maximum
        self.maximum = maximum


def moodle(column: Column, person: Person | None, body: dict[str, Any]) -> int:
    """Takes a score as Moodle 4.3 and 5.1 do; the status."""
    stamp = moment(body.get("timestamp"))
    if stamp is None or person is None or not person.graded or not _is_complete(body):
        return 400
    kept = column.of(person.user_id)
    if kept.stamp is not None and int(stamp.timestamp()) <= int(kept.stamp.timestamp()):
        return 409
    kept.stamp = stamp
    if column.activity and kept.overridden:
        return 200
    kept.writes += 1
    if body["gradingProgress"] != "FullyGraded":
        kept.score = None
        return 200
    share = body["scoreGiven"] / body["scoreMaximum"]
    kept.score = min(max(share, 0.0), 1.0) * column.maximum
    return 200


def canvas(column: Column, person: Person | None, body: dict[str, Any], *, attempts: int) -> int:
    """Takes a score as Canvas' source does; the status."""
    if person is None or not person.graded:
        return 422
    stamp = moment(body.get("timestamp"))
    if stamp is None or not _is_complete(body) or body["gradingProgress"] not in PROGRESS:
        return 422
    kept = column.of(person.user_id)
    if kept.stamp is not None and stamp < kept.stamp:
        return 400
    extension = body.get(EXTENSION, {})
    if extension.get("new_submission", True):
        if kept.submissions >= attempts:
            return 422
        kept.submissions += 1
    kept.stamp, kept.writes = stamp, kept.writes + 1
    if body["gradingProgress"] in ("Pending", "NotReady", "Failed"):
        kept.score = None
    elif body["gradingProgress"] == "FullyGraded":
        kept.score = body["scoreGiven"] / body["scoreMaximum"] * column.maximum
    if body.get("comment"):
        kept.comments.append(body["comment"])
    return 200


def moment(text: object) -> datetime | None:
    """A time; without a zone it is read in the server's, whatever its writer meant."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=SERVER_ZONE)).astimezone(UTC)


def _is_complete(body: dict[str, Any]) -> bool:
    """The specification's required fields."""
    if body.get("activityProgress") not in ACTIVITY or not isinstance(body.get("gradingProgress"), str):
        return False
    given, maximum = body.get("scoreGiven"), body.get("scoreMaximum")
    return isinstance(given, int | float) and isinstance(maximum, int | float) and maximum > 0


def dropped(person: Person) -> Person:
    """After leaving the course."""
    return replace(person, status="Inactive")
