"""What a regrading changes, for people: by student, by check, by question.

Contract: pure. A student, check or question that only one side knows has None on the other; None is "no
points yet", never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autograder.gradebook.regrading import Move, Plan, Points, direction

QuestionPoints = Mapping[tuple[str, str], float | None]
NOISE = 1e-9


@dataclass(frozen=True)
class Change:
    """One student's points in one question."""

    student: str
    question: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Mover:
    """A student whose grade changes, or would if the earlier attempt weren't worth more. ``waits``: a person
    has to grade a part of it, before or after."""

    student: str
    before: float | None
    after: float | None
    direction: str
    kept: bool
    waits: bool

    @property
    def difference(self) -> float | None:
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True)
class CheckMoves:
    """One graded cell: the points that it offers, None where it isn't there; who gets more, and who less."""

    notebook: str
    check: str
    max_before: float | None
    max_after: float | None
    better: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def is_new(self) -> bool:
        return self.max_before is None

    @property
    def is_gone(self) -> bool:
        return self.max_after is None


def movers(plan: Plan) -> tuple[Mover, ...]:
    """Whose grade isn't what it was, by student."""
    found = [_mover(each) for each in plan.moves]
    return tuple(each for each in found if each.direction != "unchanged" or each.kept)


def check_moves(plan: Plan) -> tuple[CheckMoves, ...]:
    """The checks that are new, gone or offer other points, and those in which somebody's points changed."""
    found = []
    for cell in [*plan.max_after, *(key for key in plan.max_before if key not in plan.max_after)]:
        sides = [(each.student, _at(each.before, cell), _at(each.after, cell)) for each in plan.moves]
        both = [(name, old, new) for name, old, new in sides if old is not None and new is not None]
        each = CheckMoves(
            *cell,
            max_before=plan.max_before.get(cell),
            max_after=plan.max_after.get(cell),
            better=tuple(name for name, old, new in both if new > old + NOISE),
            worse=tuple(name for name, old, new in both if new < old - NOISE),
        )
        if each.better or each.worse or each.max_before != each.max_after:
            found.append(each)
    return tuple(found)


def question_changes(plan: Plan) -> tuple[Change, ...]:
    """Points by question that aren't what they were."""
    question = {
        (notebook.name, check.check): check.question or check.check
        for attempt in plan.added
        for notebook in attempt.notebooks
        for check in notebook.checks
    }
    before: dict[tuple[str, str], float | None] = {}
    after: dict[tuple[str, str], float | None] = {}
    for move in plan.moves:
        for side, points in ((before, move.before), (after, move.after)):
            for cell, got in points.cells.items() if points else ():
                key = move.student, question.get(cell, cell[1])
                so_far = side.get(key, 0.0)
                side[key] = None if got is None or so_far is None else so_far + got
    return changes(before, after)


def changes(before: QuestionPoints, after: QuestionPoints) -> tuple[Change, ...]:
    """What differs, by student, in the order of the questions."""
    order = {question: place for place, (_, question) in enumerate([*before, *after])}
    keys = sorted({*before, *after}, key=lambda key: (key[0], order[key[1]]))
    found = (
        Change(student, question, before.get(key), after.get(key))
        for key in keys
        for student, question in [key]
    )
    return tuple(each for each in found if _differ(each.before, each.after))


def _differ(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(before - after) > NOISE


def _at(points: Points | None, cell: tuple[str, str]) -> float | None:
    return points.cells.get(cell) if points else None


def _mover(move: Move) -> Mover:
    sides = [each for each in (move.before, move.after) if each is not None]
    return Mover(
        student=move.student,
        before=move.before.total if move.before else None,
        after=move.after.total if move.after else None,
        direction=direction(move),
        kept=move.kept,
        waits=any(each.waits for each in sides),
    )
