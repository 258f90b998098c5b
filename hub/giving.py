"""Gives feedback back without being asked, where the course's policy says when.

Contract: once a student's points may be shown (at once, or after their own due date), the feedback on their
newest graded submission is written and given back, as `mlsys feedback` and `mlsys return --all` do it. Where
the policy leaves it to the instructor, nothing is done. Called by one thread, that of the grading server.
"""

from __future__ import annotations

import logging
from collections import deque

from autograder.errors import GraderError
from autograder.gradebook import Attempt, AttemptState, Gradebook
from autograder.gradebook.feedback import write_feedback
from course.records import Course, Entry, When
from hub.exchange.exchange import Exchange
from hub.exchange.returning import feedback_of
from hub.pages.material import Material

LOOK_SECONDS = 20.0
MOST_AT_ONCE = 10  # then submissions have their turn
Pair = tuple[str, str]

log = logging.getLogger(__name__)


class Giver:
    """Of a course directory; ``exchange`` is None where nobody could read what is given back."""

    def __init__(
        self,
        course: Course,
        gradebook: Gradebook,
        exchange: Exchange | None,
        material: Material,
        names: tuple[str, ...],
    ) -> None:
        self.gradebook = gradebook
        self.exchange = exchange
        self.material = material
        self.entries = {entry.id: entry for entry in course.entries if entry.id in names}
        self.given: dict[Pair, int] = {}
        self.ready: deque[Pair] = deque()
        self.looked: float | None = None

    def graded(self, attempt: Attempt) -> None:
        """What was just graded: it is given back now if it may be."""
        entry = self.entries.get(attempt.assignment)
        if entry is not None and attempt.state is not AttemptState.FAULT and self.may(entry, attempt.student):
            self.give_back(entry, attempt.student)

    def give(self, now: float) -> None:
        """Some of what others have graded, and of what has come due; ``now``: seconds of a clock that only
        grows."""
        if not self.ready and (self.looked is None or now - self.looked >= LOOK_SECONDS):
            self.looked = now
            self.ready.extend(self.owed())
        for _ in range(min(MOST_AT_ONCE, len(self.ready))):
            student, assignment = self.ready.popleft()
            self.give_back(self.entries[assignment], student)

    def owed(self) -> list[Pair]:
        """The students whose newest grading may be given back and isn't yet."""
        policies = [each for each in self.entries.values() if each.feedback.points is not When.RETURNED]
        if self.exchange is None or not policies:
            return []
        returned = self.exchange.returned_attempts()
        found = []
        for entry in policies:
            for student, number in self.gradebook.newest_numbers(entry.id).items():
                pair = student, entry.id
                seen = max(self.given.get(pair, 0), returned.get(pair, 0))
                if number > seen and self.may(entry, student):
                    found.append(pair)
        return found

    def may(self, entry: Entry, student: str) -> bool:
        """Whether a student may see points of this assignment now."""
        if self.exchange is None or entry.feedback.points is When.RETURNED:
            return False
        if entry.feedback.points is When.AT_ONCE:
            return True
        return self.exchange.clock() > self.exchange.due(student, entry.id)

    def give_back(self, entry: Entry, student: str) -> None:
        """Once for each grading: what can't be given back is told, and keeps nobody else waiting."""
        self.given[student, entry.id] = self.gradebook.newest_numbers(entry.id, student).get(student, 0)
        try:
            self.write_and_give(entry, student)
        except (GraderError, OSError) as error:
            log.warning("feedback of %s for %s was not given back: %s", student, entry.id, error)

    def write_and_give(self, entry: Entry, student: str) -> None:
        outline = self.material.outline(entry)
        write_feedback(self.gradebook, student, entry.id, title=outline.title, titles=outline.titles)
        found = feedback_of(self.gradebook.course, self.gradebook, student, entry.id)
        if found is not None and self.exchange is not None:
            self.exchange.give_back(
                student, entry.id, found.files, sha256=found.sha256, attempt=found.attempt
            )
