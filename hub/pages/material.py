"""Titles and texts of assignments, as their authors wrote them.

Contract: an assignment whose folder can't be read shows its id instead: a page must not fail for it.
What was read is kept until the assignment's files change.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from threading import Lock

from autograder.errors import AuthorError
from course.material import read_assignment
from course.records import Course, Entry

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outline:
    """What pages say about an assignment; ``titles``: question id -> title, in order."""

    title: str
    summary: str = ""
    minutes: int = 0
    points: float = 0.0
    titles: dict[str, str] = field(default_factory=dict)
    most: dict[str, float] = field(default_factory=dict)


class Material:
    """The outlines of a course's assignments."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._known: dict[str, tuple[object, Outline]] = {}
        self._lock = Lock()

    def outline(self, entry: Entry) -> Outline:
        """The assignment's outline."""
        stamp = self._stamp(entry)
        with self._lock:
            known = self._known.get(entry.id)
            if known is None or known[0] != stamp:
                known = stamp, self._read(entry)
                self._known[entry.id] = known
            return known[1]

    def _stamp(self, entry: Entry) -> object:
        """Changes when a file of the assignment does."""
        folder = self.course.assignments_folder / entry.id
        if not folder.is_dir():
            return None
        return sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file())

    def _read(self, entry: Entry) -> Outline:
        if not (self.course.assignments_folder / entry.id).is_dir():
            return Outline(entry.id)
        try:
            found = read_assignment(self.course, entry.id)
        except AuthorError as error:
            log.warning("%s has no title on pages: %s", entry.id, error)
            return Outline(entry.id)
        return Outline(
            title=found.title,
            summary=found.summary,
            minutes=found.minutes,
            points=found.points,
            titles={question.id: question.title for question in found.questions},
            most={question.id: question.points for question in found.questions},
        )
