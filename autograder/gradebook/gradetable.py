"""The neutral grade table: what every writer for a gradebook elsewhere reads, and nothing else.

Contract: reads the gradebook only. Each student has one row an assignment: those on the list that is
given, whether they ever submitted or not, and those whom the gradebook alone knows. What is not graded
has no score, never 0: a grade that stands while a newer submission waits is no score either, for it may
be another tomorrow.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nbgrader import api
from sqlalchemy import select

from autograder.errors import AuthorError, PlatformError
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.remarks import remarks
from autograder.gradebook.standings import Key, Standing, State, read_standings
from autograder.gradebook.tables import SubmissionRow


class GradeState(StrEnum):
    """GRADED is final. PENDING waits for the judge or a person; MISSING: nothing came in; EXCUSED: staff
    ask for nothing; FAULT: we failed on the newest submission."""

    GRADED = "graded"
    PENDING = "pending"
    MISSING = "missing"
    EXCUSED = "excused"
    FAULT = "fault"


@dataclass(frozen=True)
class StudentKeys:
    """By what a student is known: ``name`` on the hub, the others at the institution and in its LMS.

    Ids are text, with the zeros that they begin with; "" where one isn't known. ``full_name`` is for
    people to read: nothing is ever matched by it.
    """

    name: str
    sis_id: str = ""
    login: str = ""
    email: str = ""
    lms_id: str = ""
    full_name: str = ""


@dataclass(frozen=True)
class Grade:
    """One student in one assignment of a course.

    ``item``: the assignment's id, ``title`` what people call it. ``score``: of ``maximum``, lateness taken
    off; None in every state but GRADED. ``late_seconds``, ``version`` (its number) and ``feedback`` (plain
    text) are of the attempt that counts.
    """

    course: str
    item: str
    title: str
    student: StudentKeys
    score: float | None
    maximum: float
    state: GradeState
    late_seconds: float = 0.0
    feedback: str = ""
    version: int | None = None


STATES = {
    State.GRADED: GradeState.GRADED,
    State.UNREADABLE: GradeState.GRADED,  # it was no notebook, and is 0
    State.PENDING: GradeState.PENDING,
    State.MISSING: GradeState.MISSING,
    State.FAULT: GradeState.FAULT,
}


def grade_table(
    gradebook: Gradebook,
    course: str,
    titles: Mapping[str, str],
    students: Mapping[str, StudentKeys],
    *,
    excused: Collection[Key] = (),
    with_feedback: bool = False,
) -> tuple[Grade, ...]:
    """The grades of a course, by assignment in the order of ``titles``, then by hub name.

    ``titles``: assignment id -> title, of those that are wanted; ``students``: the keys of who is on the
    list, by hub name; ``excused``: (hub name, assignment) of whom staff excuse. Raises AuthorError for an
    assignment that the gradebook doesn't have, PlatformError for points that are no number.
    """
    by_item: dict[str, dict[str, Standing]] = {}
    for each in read_standings(gradebook):
        by_item.setdefault(each.assignment, {})[each.student] = each
    maxima = maxima_of(gradebook)
    found: list[Grade] = []
    for item, title in titles.items():
        if item not in maxima:
            raise AuthorError(f"{item} is not in the gradebook; run `mlsys release {item}`")
        own = by_item.get(item, {})
        said = remarks(gradebook, item, own) if with_feedback else {}
        for name in sorted({*students, *own}):
            standing = own.get(name) or Standing(name, item, State.MISSING, None, maxima[item])
            keys = students.get(name) or StudentKeys(name)
            is_excused = (name, item) in excused
            found.append(_grade(course, title, keys, standing, said.get(name, ""), is_excused=is_excused))
    return tuple(found)


def names_of(gradebook: Gradebook) -> tuple[str, ...]:
    """Everybody whom the gradebook knows, by hub name."""
    wanted: Any = select(api.Student.id)
    with gradebook.database.reading() as session:
        return tuple(sorted({*session.scalars(wanted), *session.scalars(select(SubmissionRow.student))}))


def items_of(grades: Iterable[Grade]) -> dict[str, list[Grade]]:
    """Assignment id -> its grades, in their order."""
    found: dict[str, list[Grade]] = {}
    for each in grades:
        found.setdefault(each.item, []).append(each)
    return found


def maxima_of(gradebook: Gradebook) -> dict[str, float]:
    """The assignments that the gradebook has, and the points of each."""
    wanted: Any = select(api.Assignment.name, api.Assignment.max_score)
    with gradebook.database.reading() as session:
        return {name: float(maximum) for name, maximum in session.execute(wanted)}


def _grade(
    course: str, title: str, keys: StudentKeys, standing: Standing, feedback: str, *, is_excused: bool
) -> Grade:
    state = GradeState.EXCUSED if is_excused else STATES[standing.state]
    return Grade(
        course=course,
        item=standing.assignment,
        title=title,
        student=keys,
        score=_score(standing) if state is GradeState.GRADED else None,
        maximum=standing.max_points,
        state=state,
        late_seconds=standing.late_seconds or 0.0,
        feedback=feedback,
        version=standing.attempt,
    )


def _score(standing: Standing) -> float:
    points = standing.points
    if points is None or not math.isfinite(points):
        where = f"{standing.assignment} of {standing.student}"
        raise PlatformError(f"{where} is graded with {points} points; `mlsys autograde` it again")
    return points
