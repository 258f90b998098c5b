"""Puts the grade table of a course together: grades from the gradebook, people, excuses and due dates from
the exchange, titles from the material.

Contract: reads only. Staff are in no table: what they submit is a trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from autograder.gradebook.gradetable import Grade, GradeState, grade_table, maxima_of
from course.material import read_assignments
from course.records import Entry
from hub.coursework import entry_of, open_gradebook
from hub.exchange.duedates import due_dates
from hub.exchange.exchange import Exchange
from hub.exchange.lookups import allowed_late
from hub.exchange.people import excuses, student_keys


@dataclass(frozen=True)
class Graded:
    """``not_due``: (hub name, assignment) of whom nothing is missing yet: they may still hand it in.
    ``dates``: assignment -> the days on which it opens and is due."""

    grades: tuple[Grade, ...]
    not_due: frozenset[tuple[str, str]]
    dates: dict[str, tuple[date, date]]


def course_grades(
    exchange: Exchange, ids: Sequence[str] = (), *, with_feedback: bool = False, now: datetime | None = None
) -> Graded:
    """The grades of these assignments, of all that were released for none. Raises AuthorError,
    PlatformError."""
    now = now or exchange.clock()
    course = exchange.course
    students = student_keys(exchange)
    staff = {each.name for each in exchange.roster() if each.is_staff}
    excused = {(each.student, each.assignment) for each in excuses(exchange.database)}
    with open_gradebook(exchange.course_dir) as gradebook:
        made = set(ids) or {*maxima_of(gradebook)}
        chosen = [entry_of(course, each) for each in ids] if ids else course.entries
        wanted = [entry for entry in chosen if entry.id in made]
        titles = titles_of(exchange, wanted)
        table = grade_table(
            gradebook, course.id, titles, students, excused=excused, with_feedback=with_feedback
        )
    grades = tuple(grade for grade in table if grade.student.name not in staff)
    dates = {entry.id: (entry.release.date(), entry.due.date()) for entry in wanted}
    return Graded(grades, _not_due(exchange, wanted, grades, now), dates)


def titles_of(exchange: Exchange, entries: Sequence[Entry]) -> dict[str, str]:
    """Assignment -> title; its id where its material isn't on this host."""
    course = exchange.course
    there = tuple(entry.id for entry in entries if (course.assignments_folder / entry.id).is_dir())
    titles = {each.id: each.title for each in read_assignments(course, there)} if there else {}
    return {entry.id: titles.get(entry.id, entry.id) for entry in entries}


def _not_due(
    exchange: Exchange, entries: Sequence[Entry], grades: Sequence[Grade], now: datetime
) -> frozenset[tuple[str, str]]:
    due = {entry.id: due_dates(exchange.course_dir, entry) for entry in entries}
    more = {entry.id: allowed_late(entry) for entry in entries}
    return frozenset(
        (grade.student.name, grade.item)
        for grade in grades
        if grade.state is GradeState.MISSING and due[grade.item](grade.student.name) + more[grade.item] > now
    )
