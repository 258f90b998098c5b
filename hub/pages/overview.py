"""A student's course: where each assignment stands, by chapter.

Contract: pure. A student sees points only of feedback that was given back, and before that what visible
checks said, if the course wants it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from autograder.gradebook import AttemptState
from autograder.gradebook.summary import Summary
from course.records import Chapter, Course, Entry, When
from hub.board import Notice
from hub.checks.report import Report
from hub.exchange.records import Returned, Submission, Terms
from hub.pages.material import Outline


class Stage(StrEnum):
    """Where an assignment stands for a student."""

    CLOSED = "not released"
    OPEN = "open"
    MISSED = "closed"
    SUBMITTED = "submitted"
    JUDGED_NOW = "being judged"
    CHECKED = "checked"
    GRADED = "graded"
    RETURNED = "returned"


@dataclass(frozen=True)
class Given:
    """Feedback that was given back; ``summary`` is None where only pages were."""

    returned: Returned
    summary: Summary | None

    @property
    def pages(self) -> tuple[str, ...]:
        """The names of the pages."""
        return tuple(each.name for each in self.returned.files if each.name.endswith(".html"))


@dataclass(frozen=True)
class Card:
    """One assignment of one student. Submissions are oldest first, ``given`` newest first."""

    entry: Entry
    outline: Outline
    terms: Terms
    stage: Stage
    submissions: tuple[Submission, ...]
    given: tuple[Given, ...]
    may_submit: bool
    checked: tuple[Report, ...] = ()

    @property
    def may_change(self) -> bool:
        """Whether something about the newest submission comes without the student's doing."""
        return bool(self.submissions) and self.stage is not Stage.RETURNED

    @property
    def newest(self) -> Given | None:
        return self.given[0] if self.given else None

    @property
    def summary(self) -> Summary | None:
        return self.newest.summary if self.newest else None

    @property
    def is_older(self) -> bool:
        """Whether the newest feedback is about an earlier submission than the newest."""
        return bool(
            self.submissions
            and self.newest is not None
            and self.newest.returned.sha256 != self.submissions[-1].sha256
        )


@dataclass(frozen=True)
class ChapterView:
    """A chapter and its assignments."""

    chapter: Chapter
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class PartView:
    """A part of the book; ``quiet``: its chapters without an assignment."""

    title: str
    chapters: tuple[ChapterView, ...]
    quiet: tuple[Chapter, ...]


def card(
    entry: Entry,
    outline: Outline,
    terms: Terms,
    submissions: Sequence[Submission],
    given: Sequence[Given],
    judged: Mapping[tuple[str, str], str],
    now: datetime,
    notice: Notice | None = None,
) -> Card:
    """``judged``: (assignment, sha256) -> how the last judging of these bytes ended; ``notice``: what the
    grading server told last."""
    notice = _about(submissions, notice)
    if notice is not None and not _may_see(entry.feedback.visible, terms, now):
        notice = replace(notice, reports=())
    return Card(
        entry=entry,
        outline=outline,
        terms=terms,
        stage=_stage(terms, submissions, given, judged, now, notice),
        submissions=tuple(submissions),
        given=tuple(given),
        may_submit=terms.may_submit(now),
        checked=notice.reports if notice is not None else (),
    )


def by_part(course: Course, cards: Sequence[Card]) -> tuple[PartView, ...]:
    """The course in book order."""
    views = []
    for part in course.parts:
        chapters = [
            ChapterView(chapter, tuple(each for each in cards if each.entry.chapter == chapter))
            for chapter in part.chapters
        ]
        views.append(
            PartView(
                part.title,
                tuple(each for each in chapters if each.cards),
                tuple(each.chapter for each in chapters if not each.cards),
            )
        )
    return tuple(views)


def next_due(cards: Sequence[Card], now: datetime) -> Card | None:
    """The open assignment that is due first and that nothing was submitted for."""
    waiting = [each for each in cards if each.stage is Stage.OPEN and each.terms.due > now]
    return min(waiting, key=lambda each: each.terms.due, default=None)


def total(cards: Sequence[Card]) -> tuple[float, float, int]:
    """(points, most, assignments) of what was returned."""
    known = [each.summary for each in cards if each.summary is not None and each.summary.points is not None]
    return sum(each.points or 0.0 for each in known), sum(each.max_points for each in known), len(known)


def _about(submissions: Sequence[Submission], notice: Notice | None) -> Notice | None:
    """The notice, if it is about the newest submission."""
    if not submissions or notice is None:
        return None
    newest = submissions[-1]
    return notice if (notice.sha256, notice.received) == (newest.sha256, newest.received) else None


def _may_see(when: When, terms: Terms, now: datetime) -> bool:
    return when is When.AT_ONCE or (when is When.AFTER_DUE and now > terms.due)


def _stage(
    terms: Terms,
    submissions: Sequence[Submission],
    given: Sequence[Given],
    judged: Mapping[tuple[str, str], str],
    now: datetime,
    notice: Notice | None,
) -> Stage:
    if submissions:
        newest = submissions[-1].sha256
        if given and given[0].returned.sha256 == newest:
            return Stage.RETURNED
        state = judged.get((terms.assignment, newest), AttemptState.FAULT.value)
        return _before_grading(notice) if state == AttemptState.FAULT.value else Stage.GRADED
    if given:
        return Stage.RETURNED
    if not terms.may_fetch(now):
        return Stage.CLOSED
    return Stage.OPEN if now <= terms.closes else Stage.MISSED


def _before_grading(notice: Notice | None) -> Stage:
    if notice is not None and notice.reports:
        return Stage.CHECKED
    return Stage.JUDGED_NOW if notice is not None and notice.live else Stage.SUBMITTED
