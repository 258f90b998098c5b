"""What a regrading would change, worked out on a copy of the gradebook's rows.

Theory of operation. All submissions have been judged anew, by the present tests. ``revise`` fits nbgrader's
cells to the present questions, makes an attempt of each judgement, lets the course's policy choose which
attempt counts, and enters its marks. What differs afterwards is what a regrading publishes.

Whoever may not lose points (``Keep.NEVER_LOWER``): of each submission that was graded before, the worth of
the earlier attempt is held against the new one's. An attempt's worth is what the student's grade would be in
the present questions: the points of its checks, marks that a person gave in place of them, lateness taken
off. Checks of the earlier attempt whose points are others now count for the same part of them; those that
are gone count nothing; those that are new count what the new judgement gives. Where the earlier attempt is
worth more, the new one is set aside: the earlier one counts or, where the questions are others, an attempt
that carries its checks over to them.

Contract: pure. The same rows and judgements give the same plan, but for the ids of new rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from nbformat.notebooknode import NotebookNode

from autograder.gradebook.attempts import (
    Aside,
    Attempt,
    AttemptNotebook,
    AttemptState,
    Policy,
    choose,
    newest_gradings,
    package_version,
    source_version,
)
from autograder.gradebook.regrading.cells import fit, scaled
from autograder.gradebook.regrading.ledger import Ledger, layout_digest
from autograder.gradebook.regrading.sheet import Points, Sheet
from autograder.judge import CheckResult

NOISE = 1e-9
PLANNED = 1 << 62  # ids of attempts that aren't recorded yet: behind all that are


class Keep(StrEnum):
    """What becomes of a student who would lose points."""

    REPLACE = "replace"
    NEVER_LOWER = "never-lower"


@dataclass(frozen=True)
class Drafted:
    """A submission, judged anew and not recorded yet."""

    student: str
    sha256: str
    submitted: datetime
    graded: datetime
    notebooks: tuple[AttemptNotebook, ...]

    @property
    def key(self) -> tuple[str, datetime]:
        return self.sha256, self.submitted


@dataclass(frozen=True)
class Revision:
    """A regrading to be. ``layout``: the cells of the present questions, where the gradebook has others.

    ``late``: (student, time) -> seconds; ``penalty``: (seconds, points) -> points.
    """

    assignment: str
    sources: Mapping[str, NotebookNode]
    layout: Ledger | None
    drafted: Sequence[Drafted]
    policy: Policy
    keep: Keep
    late: Callable[[str, datetime], float]
    penalty: Callable[[float, float], float]


@dataclass(frozen=True)
class Held:
    """What the gradebook has of an assignment. ``attempts``: by student, oldest first."""

    ledger: Ledger
    attempts: Mapping[str, Sequence[Attempt]]


@dataclass(frozen=True)
class Move:
    """One student. ``kept``: the earlier attempt counts still, or is carried over, for it is worth more."""

    student: str
    before: Points | None
    after: Points | None
    kept: bool = False


@dataclass(frozen=True)
class Plan:
    """``added``: the attempts to record, in order. ``after``: the rows as they shall be; its pointers may
    name ids of ``added``. ``seen``: a fingerprint of all that the plan rests on, by student."""

    added: tuple[Attempt, ...]
    before: Ledger
    after: Ledger
    moves: tuple[Move, ...]
    carried: frozenset[int]
    max_before: Mapping[tuple[str, str], float]
    max_after: Mapping[tuple[str, str], float]
    seen: Mapping[str, str]

    @property
    def refitted(self) -> bool:
        """Whether nbgrader's cells have to become others."""
        return layout_digest(self.before) != layout_digest(self.after)


@dataclass
class _Desk:
    """A plan in the making."""

    revision: Revision
    version: str
    sheet: Sheet
    most: Mapping[tuple[str, str], float]
    changed: frozenset[tuple[str, str]]
    added: list[Attempt] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    carried: set[int] = field(default_factory=set)


def revise(held: Held, revision: Revision) -> Plan:
    """What publishing would do."""
    before, after = Sheet(held.ledger), held.ledger.copy()
    if revision.layout is not None:
        fit(after, revision.layout)
    sheet, was = Sheet(after), before.max_points()
    most = sheet.max_points()
    changed = frozenset(key for key in most if was.get(key) != most[key])
    desk = _Desk(revision, source_version(revision.sources), sheet, most, changed)
    drafted = _not_recorded(held, revision, desk.version)
    for student, own in drafted.items():
        _regrade(desk, held.attempts.get(student, ()), own, before.counting(student))
    students = sorted({*before.submissions, *sheet.submissions})
    moves = (Move(each, before.points(each), sheet.points(each), each in desk.kept) for each in students)
    return Plan(
        added=tuple(desk.added),
        before=held.ledger,
        after=after,
        moves=tuple(moves),
        carried=frozenset(desk.carried),
        max_before=was,
        max_after=most,
        seen=_fingerprints(held, before, drafted),
    )


def _not_recorded(held: Held, revision: Revision, version: str) -> dict[str, list[Drafted]]:
    """The judgements by student, without those that have been published already."""
    known = {
        (each.student, each.sha256, each.submitted, each.graded)
        for own in held.attempts.values()
        for each in own
        if each.source_version == version and each.aside is not Aside.UNDONE
    }
    found: dict[str, list[Drafted]] = {}
    for each in sorted(revision.drafted, key=lambda each: (each.student, each.submitted)):
        if (each.student, *each.key, each.graded) not in known:
            found.setdefault(each.student, []).append(each)
    return found


def _regrade(
    desk: _Desk, recorded: Sequence[Attempt], drafted: Sequence[Drafted], counting: int | None
) -> None:
    """One student's attempts, and the marks of the one that counts."""
    student, earlier = drafted[0].student, newest_gradings(recorded)
    numbers = [each.number for each in recorded]
    new: list[Attempt] = []
    for each in drafted:
        number = max([*numbers, *(one.number for one in new)], default=0) + 1
        attempt = _attempt(desk, each, number, len(new))
        new += _weighed(desk, attempt, earlier.get(each.key), len(new))
    desk.added += new
    attempts = [*recorded, *new]
    chosen = choose(attempts, desk.revision.policy)
    if chosen is None:
        return
    judged = [
        one.submitted
        for one in attempts
        if one.state is not AttemptState.FAULT and one.aside is not Aside.UNDONE
    ]
    desk.sheet.note_time(student, max(judged))
    if chosen.id != counting:
        shown = next((one for one in recorded if one.id == counting), None)
        same = shown is not None and (shown.sha256, shown.submitted) == (chosen.sha256, chosen.submitted)
        desk.sheet.enter(chosen, same=same, changed=desk.changed)
        desk.sheet.count(student, chosen.id)


def _attempt(desk: _Desk, drafted: Drafted, number: int, place: int) -> Attempt:
    checks = [check for notebook in drafted.notebooks for check in notebook.checks]
    problems = [each.problem for each in drafted.notebooks if each.problem]
    read = len(problems) < len(drafted.notebooks)
    points = sum(check.points for check in checks)
    late = desk.revision.late(drafted.student, drafted.submitted)
    return Attempt(
        id=PLANNED + len(desk.added) + place,
        student=drafted.student,
        assignment=desk.revision.assignment,
        number=number,
        sha256=drafted.sha256,
        submitted=drafted.submitted,
        graded=drafted.graded,
        late_seconds=late,
        penalty=desk.revision.penalty(late, points) if late else 0.0,
        state=AttemptState.GRADED if read else AttemptState.UNREADABLE,
        points=points,
        max_points=sum(check.max_points for check in checks),
        message="\n".join(problems),
        source_version=desk.version,
        package_version=package_version(),
        counts=False,
        notebooks=drafted.notebooks,
    )


def _weighed(desk: _Desk, attempt: Attempt, earlier: Attempt | None, place: int) -> list[Attempt]:
    """The attempt or, where the earlier one is worth more, what is recorded then."""
    if earlier is None or desk.revision.keep is Keep.REPLACE:
        return [attempt]
    carried = _carried(desk, earlier, attempt, place)
    if _worth(desk, carried) <= _worth(desk, attempt) + NOISE:
        return [attempt]
    desk.kept.add(attempt.student)
    lower = replace(attempt, aside=Aside.LOWER)
    if carried is earlier:
        return [lower]
    desk.carried.add(carried.id)
    return [lower, carried]


def _carried(desk: _Desk, earlier: Attempt, attempt: Attempt, place: int) -> Attempt:
    """The earlier attempt in the present questions: itself, where they are the same."""
    if _questions(earlier) == _questions(attempt):
        return earlier
    old = {each.name: each for each in earlier.notebooks}
    notebooks = tuple(
        _carried_notebook(old[each.name], each) if each.name in old else each for each in attempt.notebooks
    )
    checks = [check for notebook in notebooks for check in notebook.checks]
    points, late = sum(check.points for check in checks), attempt.late_seconds
    return replace(
        attempt,
        id=PLANNED + len(desk.added) + place + 1,
        number=attempt.number + 1,
        penalty=desk.revision.penalty(late, points) if late else 0.0,
        state=earlier.state,
        points=points,
        message=f"Carried over from attempt {earlier.number}, which is worth more.",
        notebooks=notebooks,
    )


def _questions(attempt: Attempt) -> set[tuple[str, str, float]]:
    return {
        (notebook.name, check.check, check.max_points)
        for notebook in attempt.notebooks
        for check in notebook.checks
    }


def _carried_notebook(old: AttemptNotebook, new: AttemptNotebook) -> AttemptNotebook:
    known = {check.check: check for check in old.checks}
    checks = tuple(carried_check(known.get(check.check), check) for check in new.checks)
    return replace(old, checks=checks, answers={**new.answers, **old.answers})


def carried_check(old: CheckResult | None, new: CheckResult) -> CheckResult:
    """The same part of the points that the check has now; the new result where there is no earlier one."""
    points = None if old is None else scaled(old.points, old.max_points, new.max_points)
    if old is None or points is None:
        return new
    return replace(old, points=points, max_points=new.max_points, question=new.question)


def _worth(desk: _Desk, attempt: Attempt) -> float:
    """What the student's grade would be, in the questions' cells and with the marks that people gave."""
    hand = desk.sheet.by_hand(attempt.student)
    points = {
        (notebook.name, check.check): check.points
        for notebook in attempt.notebooks
        for check in notebook.checks
    }
    total = 0.0
    for cell in desk.most:
        mark = hand.get(cell, {})
        given = mark.get("manual_score")
        total += (points.get(cell, 0.0) if given is None else given) + (mark.get("extra_credit") or 0.0)
    return max(0.0, total - attempt.penalty)


def _fingerprints(held: Held, sheet: Sheet, drafted: Mapping[str, Sequence[Drafted]]) -> dict[str, str]:
    """What the plan rests on, by student; of the questions under ""."""
    students = {*sheet.submissions, *held.attempts, *drafted}
    found = {"": layout_digest(held.ledger)}
    for student in sorted(students):
        rests: list[Any] = [
            sheet.own_rows(student),
            sheet.counting(student),
            [each.id for each in held.attempts.get(student, ()) if each.state is not AttemptState.FAULT],
            [[*each.key, each.graded] for each in drafted.get(student, ())],
        ]
        text = json.dumps(rests, sort_keys=True, default=str)
        found[student] = hashlib.sha256(text.encode()).hexdigest()
    return found
