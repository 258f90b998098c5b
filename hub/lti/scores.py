"""Scores that are sent, and results that are read back (Assignment and Grade Services 2.0).

Contract: a score is always final (``FullyGraded``): on Moodle any other word, or a typo in it, sets the grade
to nothing. Times are UTC with a Z: without a zone they are read in the server's. On Canvas the score says
that it is no new submission: otherwise each one uses up an attempt of the student's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.lti.addresses import below
from hub.lti.client import Client
from hub.lti.records import LineItem, Result
from hub.lti.text import Unreadable, finite, mapping, opaque, sequence
from hub.lti.wire import Answer

KIND = "application/vnd.ims.lis.v1.score+json"
CONTAINER = "application/vnd.ims.lis.v2.resultcontainer+json"
SENDING, READING = "sending a score", "the results there"
CANVAS_EXTENSION = "https://canvas.instructure.com/lti/submission"
DECIMALS = 2
SAME = 0.0051  # of the points: what rounding to two decimals can leave
MOST = 200_000
LONGEST_COMMENT = 20_000


def score_body(
    user_id: str, score: float, maximum: float, stamp: datetime, *, is_canvas: bool, comment: str = ""
) -> dict[str, Any]:
    """What is sent for one student."""
    body: dict[str, Any] = {
        "userId": user_id,
        "scoreGiven": score,
        "scoreMaximum": maximum,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": iso(stamp),
    }
    if comment:
        body["comment"] = comment[:LONGEST_COMMENT]
    if is_canvas:
        body[CANVAS_EXTENSION] = {"new_submission": False}
    return body


def iso(stamp: datetime) -> str:
    """Such as ``2027-03-01T18:00:00.250Z``."""
    return f"{stamp.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def send_score(client: Client, item: LineItem, body: Mapping[str, Any]) -> Answer:
    """May be sent twice: the time in it is the same, so it is one score."""
    return client.post(below(item.id, "scores"), KIND, body, SENDING)


def read_results(client: Client, item: LineItem) -> dict[str, Result]:
    """The results of everybody in a column, by user id: one request, or one a page."""
    found: dict[str, Result] = {}
    for page in client.pages(below(item.id, "results"), CONTAINER, READING):
        for each in sequence(page, READING):
            result = _result(mapping(each, READING))
            found[result.user_id] = result
        if len(found) > MOST:
            raise Unreadable(f"{READING}: more than {MOST}; is this one course?")
    return found


def rounded(points: float) -> float:
    """As points are sent: platforms keep two decimals at least."""
    return round(points, DECIMALS)


def same(score: float, maximum: float, there: Result | None) -> bool:
    """Whether the platform shows this score, on whatever scale."""
    share = there.share if there is not None else None
    return share is not None and abs(share * maximum - score) < SAME


def _result(found: Mapping[str, Any]) -> Result:
    """A result without a maximum is of 1; one without a score is none."""
    given, most = found.get("resultScore"), found.get("resultMaximum")
    maximum = finite(most, READING) if most is not None else 1.0
    if maximum <= 0:
        raise Unreadable(f"{READING}: a maximum of {maximum}")
    score = finite(given, READING) if given is not None else None
    return Result(opaque(found.get("userId"), READING), score, maximum)
