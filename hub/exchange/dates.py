"""Whether an act is allowed at a moment, by a student's terms. Raises Closed with the reason."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.exchange.records import Terms
from hub.exchange.refusals import Closed


def require_open(terms: Terms, now: datetime) -> None:
    """The assignment may be fetched."""
    if not terms.released:
        raise Closed(f"{terms.assignment} is not released; ask your instructor when it will be")
    if now < terms.opens:
        raise Closed(f"{terms.assignment} opens on {_when(terms.opens)}; come back then")


def require_taken(terms: Terms, now: datetime) -> None:
    """A submission that came in ``now`` is taken."""
    require_open(terms, now)
    if now > terms.closes:
        raise Closed(
            f"{terms.assignment} was due on {_when(terms.due)} and closed on {_when(terms.closes)}; "
            "ask your instructor for an extension"
        )
    if not terms.left:
        raise Closed(
            f"all {terms.most} attempts at {terms.assignment} are used; your newest submission stands"
        )


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %B %Y at %H:%M} UTC"
