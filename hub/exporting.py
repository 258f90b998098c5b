"""What an export would hold, before it is made: rows, states that are not final, and problems.

Contract: pure. The problems are sentences for staff; an export can always be made in spite of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from autograder.gradebook import Standing, State

FINAL = (State.GRADED, State.UNREADABLE, State.MISSING)
NAMED = 5


@dataclass(frozen=True)
class AssignmentRows:
    """The rows of one assignment by state, and the mean of those that have points."""

    assignment: str
    states: dict[State, int]
    mean: float | None

    @property
    def rows(self) -> int:
        return sum(self.states.values())

    @property
    def open(self) -> int:
        """Rows that may still change without anybody submitting."""
        return sum(count for state, count in self.states.items() if state not in FINAL)


@dataclass(frozen=True)
class DryRun:
    """What the files would hold."""

    students: int
    assignments: tuple[AssignmentRows, ...]
    problems: tuple[str, ...]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.assignments)


def dry_run(standings: Sequence[Standing], entries: Iterable[str], roster: Collection[str] = ()) -> DryRun:
    """``entries``: the assignments of the course; ``roster``: its students, () where nobody keeps one."""
    by_assignment: dict[str, list[Standing]] = {}
    for each in standings:
        by_assignment.setdefault(each.assignment, []).append(each)
    students = {each.student for each in standings}
    return DryRun(
        students=len(students),
        assignments=tuple(_rows(name, own) for name, own in by_assignment.items()),
        problems=tuple(_problems(by_assignment, entries, students, set(roster))),
    )


def _rows(assignment: str, own: Sequence[Standing]) -> AssignmentRows:
    points = [each.points for each in own if each.points is not None]
    counts = Counter(each.state for each in own)
    return AssignmentRows(
        assignment=assignment,
        states={state: counts[state] for state in State},
        mean=sum(points) / len(points) if points else None,
    )


def _problems(
    by_assignment: dict[str, list[Standing]], entries: Iterable[str], students: set[str], roster: set[str]
) -> Iterable[str]:
    for name in entries:
        own = by_assignment.get(name)
        if own is None:
            yield f"{name} is not in the gradebook: it was never released"
            continue
        waiting = [each.student for each in own if each.state is State.PENDING]
        failed = [each.student for each in own if each.state is State.FAULT]
        if waiting:
            yield f"{name}: {len(waiting)} not final ({_some(waiting)})"
        if failed:
            yield f"{name}: {len(failed)} not judged, which is our fault ({_some(failed)}); grade it again"
    for name in sorted(set(by_assignment) - set(entries)):
        yield f"{name} is in the gradebook and not in the course"
    if roster and (strangers := sorted(students - roster)):
        yield f"{len(strangers)} in the gradebook and not on the roster ({_some(strangers)})"
    if absent := sorted(roster - students):
        yield f"{len(absent)} on the roster without a row, since they never submitted ({_some(absent)})"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
