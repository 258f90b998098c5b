"""The record of regradings: who published or took back what, when, why, and by which versions.

Contract: reads only. Rows are added by ``publishing`` and never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.tables import RegradingRow


@dataclass(frozen=True)
class Warrant:
    """Under whose name something is written, when and why, and what judged: the code's version and a
    fingerprint of the environment."""

    by: str
    at: datetime
    reason: str
    code_version: str
    environment: str


@dataclass(frozen=True)
class Regrading:
    """One line of the record. ``undoes``: the regrading that it took back; ``undone``: it was taken back.

    ``source_before``: the versions of the tests that counted grades were judged by.
    """

    id: int
    assignment: str
    undoes: int | None
    undone: bool
    by: str
    at: datetime
    reason: str
    policy: str
    source_before: tuple[str, ...]
    source_after: tuple[str, ...]
    code_version: str
    environment: str
    counts: Mapping[str, int]


def regradings(gradebook: Gradebook, assignment: str | None = None) -> tuple[Regrading, ...]:
    """All of them, oldest first; of one assignment where that is given."""
    wanted = select(RegradingRow).order_by(RegradingRow.id)
    with gradebook.database.reading() as session:
        rows = list(session.scalars(wanted))
        undone = {row.undoes for row in rows}
        return tuple(
            regrading(row, undone=row.id in undone) for row in rows if assignment in (None, row.assignment)
        )


def regrading(row: RegradingRow, *, undone: bool) -> Regrading:
    return Regrading(
        id=row.id,
        assignment=row.assignment,
        undoes=row.undoes,
        undone=undone,
        by=row.by,
        at=row.at,
        reason=row.reason,
        policy=row.policy,
        source_before=tuple(row.source_before),
        source_after=tuple(row.source_after),
        code_version=row.code_version,
        environment=row.environment,
        counts=row.counts,
    )
