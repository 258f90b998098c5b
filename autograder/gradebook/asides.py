"""Which attempts never count, and why.

Contract: reads only. What is set aside follows from the rows that regradings added, which never change.
"""

from __future__ import annotations

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from autograder.gradebook.attempts import Aside
from autograder.gradebook.tables import RegradedRow, RegradingRow


def undone() -> Select[int]:
    """The ids of the attempts whose regrading was taken back."""
    taking_back = aliased(RegradingRow)
    return select(RegradedRow.attempt_id).join(taking_back, taking_back.undoes == RegradedRow.regrading_id)


def set_aside() -> Select[int]:
    """The ids of all attempts that never count."""
    taking_back = select(RegradingRow.undoes).where(RegradingRow.undoes.is_not(None))
    return select(RegradedRow.attempt_id).where(
        or_(RegradedRow.lower, RegradedRow.regrading_id.in_(taking_back))
    )


def asides(session: Session, among: Select[int]) -> dict[int, Aside]:
    """Attempt id -> why it doesn't count. ``among``: the ids of the attempts that are asked about."""
    these = RegradedRow.attempt_id.in_(among)
    lower = select(RegradedRow.attempt_id).where(RegradedRow.lower, these)
    found = dict.fromkeys(session.scalars(lower), Aside.LOWER)
    return found | dict.fromkeys(session.scalars(undone().where(these)), Aside.UNDONE)
