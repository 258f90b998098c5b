"""The exchange's records as JSON objects. Times are ISO 8601 with their offset."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from hub.exchange.records import Extension, Member, Release, Returned, Submission, Terms


def as_member(member: Member) -> dict[str, Any]:
    return {**asdict(member), "role": member.role.value}


def as_terms(terms: Terms, now: datetime) -> dict[str, Any]:
    """``may_fetch`` and ``may_submit`` are of this moment."""
    return {
        **asdict(terms),
        "opens": terms.opens.isoformat(),
        "due": terms.due.isoformat(),
        "closes": terms.closes.isoformat(),
        "left": terms.left,
        "may_fetch": terms.may_fetch(now),
        "may_submit": terms.may_submit(now),
    }


def as_release(release: Release | None) -> dict[str, Any]:
    """Empty for what is not out."""
    if release is None:
        return {"version": None, "files": [], "accepts": []}
    return {**asdict(release), "released_at": release.released.isoformat(), "released": True}


def as_submission(submission: Submission) -> dict[str, Any]:
    return {
        **asdict(submission),
        "received": submission.received.isoformat(),
        "late": submission.late.total_seconds(),
    }


def as_returned(returned: Returned) -> dict[str, Any]:
    return {**asdict(returned), "returned": returned.returned.isoformat()}


def as_extension(extension: Extension) -> dict[str, Any]:
    return {
        **asdict(extension),
        "due": extension.due.isoformat(),
        "granted": extension.granted.isoformat(),
    }
