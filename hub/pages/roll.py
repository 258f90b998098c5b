"""The staff's view of a class: one line a student and assignment, and counts of them.

Contract: pure. Joins what the exchange took in with what the gradebook made of it: a submission that
waits in the exchange is to be graded, though the gradebook knows nothing of it yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median

from autograder.gradebook import Standing, State
from autograder.gradebook.standings import NOT_JUDGED
from hub.exchange.records import Arrival, Member

Key = tuple[str, str]


class Mark(StrEnum):
    """Where a student's work stands for staff."""

    MISSING = "nothing submitted"
    TO_GRADE = "to grade"
    FAULT = "fault"
    TO_MARK = "to mark"
    UNREADABLE = "unreadable"
    GRADED = "graded"


@dataclass(frozen=True)
class Line:
    """One student in one assignment. ``given_back``: the attempt whose feedback they have."""

    student: str
    full_name: str
    assignment: str
    mark: Mark
    points: float | None
    max_points: float
    submitted: datetime | None
    number: int
    late_seconds: float
    verdict: str
    attempt: int | None
    given_back: int | None
    note: str

    @property
    def is_stale(self) -> bool:
        """Whether there is a grade whose feedback the student doesn't have."""
        return self.attempt is not None and self.given_back != self.attempt


@dataclass(frozen=True)
class Counts:
    """An assignment at a glance. ``scores``: points as a part of the most, of those that have any."""

    students: int
    marks: dict[Mark, int]
    submitted: int
    given_back: int
    scores: tuple[float, ...]
    max_points: float

    @property
    def median(self) -> float | None:
        return median(self.scores) * self.max_points if self.scores else None


def roll(
    standings: Iterable[Standing],
    arrivals: Iterable[Arrival],
    students: Sequence[Member],
    judged: Mapping[tuple[str, str, str], str],
    given_back: Mapping[Key, int],
    assignments: Sequence[str],
) -> dict[str, list[Line]]:
    """The lines of each assignment, by student: all of the roster, and all who submitted."""
    standing = {(each.student, each.assignment): each for each in standings}
    arrival = {(each.student, each.assignment): each for each in arrivals}
    most = {each.assignment: each.max_points for each in standing.values()}
    names = {each.name: each.full_name for each in students}
    known = sorted({*names, *(student for student, _ in (*standing, *arrival))})
    return {
        assignment: [
            _line(
                student,
                names.get(student, ""),
                assignment,
                standing.get((student, assignment)),
                arrival.get((student, assignment)),
                judged,
                given_back.get((student, assignment)),
                most.get(assignment, 0.0),
            )
            for student in known
        ]
        for assignment in assignments
    }


def count(lines: Sequence[Line]) -> Counts:
    """The counts of one assignment."""
    marks = dict.fromkeys(Mark, 0)
    for line in lines:
        marks[line.mark] += 1
    most = max((line.max_points for line in lines), default=0.0)
    scores = tuple(line.points / most for line in lines if line.points is not None and most)
    return Counts(
        students=len(lines),
        marks=marks,
        submitted=len(lines) - marks[Mark.MISSING],
        given_back=sum(line.given_back is not None for line in lines),
        scores=scores,
        max_points=most,
    )


def chosen(lines: Iterable[Line], mark: str, text: str) -> list[Line]:
    """The lines with this mark ("" for all) whose student's name contains the text."""
    wanted = text.casefold()
    return [
        line
        for line in lines
        if mark in ("", line.mark.value)
        and (wanted in line.student.casefold() or wanted in line.full_name.casefold())
    ]


def _line(
    student: str,
    full_name: str,
    assignment: str,
    standing: Standing | None,
    arrival: Arrival | None,
    judged: Mapping[tuple[str, str, str], str],
    given_back: int | None,
    most: float,
) -> Line:
    mark, note = _mark(standing, arrival, judged)
    return Line(
        student=student,
        full_name=full_name,
        assignment=assignment,
        mark=mark,
        points=standing.points if standing is not None else None,
        max_points=most,
        submitted=arrival.received if arrival is not None else standing.timestamp if standing else None,
        number=arrival.number if arrival is not None else 0,
        late_seconds=(standing.late_seconds or 0.0) if standing is not None else 0.0,
        verdict=standing.verdict if standing is not None else "",
        attempt=standing.attempt if standing is not None else None,
        given_back=given_back,
        note=note,
    )


def _mark(
    standing: Standing | None, arrival: Arrival | None, judged: Mapping[tuple[str, str, str], str]
) -> tuple[Mark, str]:
    if arrival is not None and (arrival.student, arrival.assignment, arrival.sha256) not in judged:
        return Mark.TO_GRADE, NOT_JUDGED
    if standing is None or standing.state is State.MISSING:
        return Mark.MISSING, ""
    if standing.state is State.PENDING:
        return (Mark.TO_GRADE if standing.note == NOT_JUDGED else Mark.TO_MARK), standing.note
    if standing.state is State.FAULT:
        return Mark.FAULT, standing.note
    if standing.state is State.UNREADABLE:
        return Mark.UNREADABLE, standing.note
    return Mark.GRADED, ""
