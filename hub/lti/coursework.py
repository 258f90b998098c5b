"""The grades of a course as a push wants them: from gradebook, roster and material.

Contract: reads only.
"""

from __future__ import annotations

from collections.abc import Collection

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import Grade, StudentKeys, grade_table
from course.material import read_assignment
from hub.coursework import entry_of, open_gradebook
from hub.exchange.exchange import Exchange


def title_of(exchange: Exchange, assignment: str) -> str:
    """What people call it; its id where the material isn't on this host."""
    entry_of(exchange.course, assignment)
    if not (exchange.course.assignments_folder / assignment).is_dir():
        return assignment
    return read_assignment(exchange.course, assignment).title


def students_of(exchange: Exchange) -> dict[str, StudentKeys]:
    """Hub name -> keys, of the students on the roster."""
    return {
        each.name: StudentKeys(each.name, email=each.email, full_name=each.full_name)
        for each in exchange.roster()
        if not each.is_staff
    }


def grades_of(
    exchange: Exchange, assignment: str, only: Collection[str] = (), *, feedback: bool = False
) -> tuple[Grade, ...]:
    """The grades of an assignment, of everybody but staff, or of these students. Raises AuthorError,
    PlatformError."""
    students = students_of(exchange)
    staff = {each.name for each in exchange.roster() if each.is_staff}
    with open_gradebook(exchange.course_dir) as gradebook:
        titles = {assignment: title_of(exchange, assignment)}
        table = grade_table(gradebook, exchange.course.id, titles, students, with_feedback=feedback)
    known = {each.student.name for each in table}
    if unknown := sorted(set(only) - known):
        raise AuthorError(f"nobody in the course is called {unknown[0]!r}; see `mlsys roster`")
    return tuple(
        each for each in table if each.student.name not in staff and (not only or each.student.name in only)
    )
