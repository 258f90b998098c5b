"""What a regrading changed: points by student and question, before and after.

Contract: pure. A student or question that only one side knows has None on the other; None is "no
points yet", never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Points = Mapping[tuple[str, str], float | None]
NOISE = 1e-9


@dataclass(frozen=True)
class Change:
    """One student's points in one question."""

    student: str
    question: str
    before: float | None
    after: float | None


def changes(before: Points, after: Points) -> tuple[Change, ...]:
    """What differs, by student, in the order of the questions."""
    order = {question: place for place, (_, question) in enumerate([*before, *after])}
    keys = sorted({*before, *after}, key=lambda key: (key[0], order[key[1]]))
    found = (
        Change(student, question, before.get(key), after.get(key))
        for key in keys
        for student, question in [key]
    )
    return tuple(each for each in found if _differ(each.before, each.after))


def _differ(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(before - after) > NOISE
