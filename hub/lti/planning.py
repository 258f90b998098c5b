"""What a push would do for each student, before anything is sent.

Contract: pure. What isn't final here is never sent. A grade there that isn't from us is not written over
unless that is asked for, nor is a score sent that is over its maximum: some platforms cut it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from autograder.gradebook.gradetable import Grade, GradeState
from hub.lti.log import Past
from hub.lti.matching import Matching
from hub.lti.records import Result
from hub.lti.scores import rounded, same


class Fate(StrEnum):
    """NEW, CHANGED: sent. UNCHANGED: is there already. OVERWRITES: another grade is there that isn't from us.
    OVER: over the maximum. UNMATCHED: nobody there, or nobody for sure. DROPPED: no active learner there.
    The rest has no final grade here."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    OVERWRITES = "another grade is there"
    OVER = "over maximum"
    UNMATCHED = "unmatched"
    DROPPED = "not an active learner"
    PENDING = "pending"
    FAULT = "fault"
    MISSING = "missing"
    EXCUSED = "excused"


NOT_FINAL = {
    GradeState.PENDING: Fate.PENDING,
    GradeState.FAULT: Fate.FAULT,
    GradeState.MISSING: Fate.MISSING,
    GradeState.EXCUSED: Fate.EXCUSED,
}


@dataclass(frozen=True)
class Choices:
    """What staff ask for beyond the usual. ``not_due``: (hub name, assignment) of who may still hand it in,
    for whom missing work is no zero."""

    missing_as_zero: bool = False
    overwrite: bool = False
    over_maximum: bool = False
    not_due: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Planned:
    """One student. ``score`` is what is sent, or would be; ``there`` what the platform shows now."""

    grade: Grade
    fate: Fate
    sends: bool = False
    user_id: str = ""
    score: float | None = None
    there: Result | None = None
    note: str = ""

    @property
    def student(self) -> str:
        return self.grade.student.name


def plan(
    grades: Iterable[Grade],
    matching: Matching,
    results: Mapping[str, Result],
    past: Mapping[str, Past],
    choices: Choices,
) -> tuple[Planned, ...]:
    """In the order of the grades."""
    return tuple(_planned(each, matching, results, past, choices) for each in grades)


def _planned(
    grade: Grade,
    matching: Matching,
    results: Mapping[str, Result],
    past: Mapping[str, Past],
    choices: Choices,
) -> Planned:
    is_late = (grade.student.name, grade.item) not in choices.not_due
    is_zero = grade.state is GradeState.MISSING and choices.missing_as_zero and is_late
    if grade.state is not GradeState.GRADED and not is_zero:
        note = "" if is_late else "may still come in"
        return Planned(grade, NOT_FINAL[grade.state], note=note)
    person = matching.pairs.get(grade.student.name)
    if person is None:
        return Planned(grade, Fate.UNMATCHED, note=matching.doubtful.get(grade.student.name, ""))
    score = 0.0 if grade.score is None else rounded(grade.score)
    there = results.get(person.user_id)
    ours = past[person.user_id].ours if person.user_id in past else ()
    if not person.learns:
        fate = Fate.DROPPED
    elif same(score, grade.maximum, there):
        fate = Fate.UNCHANGED
    elif score > grade.maximum and not choices.over_maximum:
        fate = Fate.OVER
    elif there is None or there.score is None:
        fate = Fate.NEW
    elif any(same(given, most, there) for given, most in ours):
        fate = Fate.CHANGED
    else:
        fate = Fate.OVERWRITES
    sends = fate in (Fate.NEW, Fate.CHANGED) or (fate is Fate.OVERWRITES and choices.overwrite)
    return Planned(grade, fate, sends, person.user_id, score, there)
