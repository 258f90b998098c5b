"""From an assignment of a course to what a push is given: its grades, and the order.

Contract: reads only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import Grade
from hub.exchange.exchange import Exchange
from hub.gradetable import course_grades
from hub.lti.planning import Choices
from hub.lti.push import Order


@dataclass(frozen=True)
class Wish:
    """What staff ask for, in the words of `mlsys lti push`. ``students``: only these, all for none."""

    assignment: str
    students: tuple[str, ...] = ()
    missing_as_zero: bool = False
    overwrite: bool = False
    over_maximum: bool = False
    line_item: str = ""
    feedback: bool = False
    by_email: bool = False


def order_of(exchange: Exchange, wish: Wish) -> tuple[Order, tuple[Grade, ...]]:
    """The order and the grades that it is about. Raises AuthorError, PlatformError."""
    graded = course_grades(exchange, [wish.assignment], with_feedback=wish.feedback)
    grades = _only(graded.grades, wish.students)
    if not grades or grades[0].maximum <= 0:
        raise AuthorError(
            f"{wish.assignment} has no students, or no points to give: there is nothing to send"
        )
    choices = Choices(wish.missing_as_zero, wish.overwrite, wish.over_maximum, graded.not_due)
    order = Order(
        wish.assignment,
        grades[0].title,
        grades[0].maximum,
        choices,
        line_item=wish.line_item,
        feedback=wish.feedback,
        by_email=wish.by_email,
    )
    return order, grades


def _only(grades: tuple[Grade, ...], students: Collection[str]) -> tuple[Grade, ...]:
    known = {each.student.name for each in grades}
    if unknown := sorted(set(students) - known):
        raise AuthorError(f"nobody in the course is called {unknown[0]!r}; see `mlsys roster`")
    return tuple(each for each in grades if not students or each.student.name in students)
