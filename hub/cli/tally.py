"""What came of a batch, for people: the counts under the bar, the table of submissions, the last words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from rich.table import Table

from autograder.gradebook import Attempt, AttemptState
from autograder.judge import Verdict
from hub.cli.console import number

COLOURS = {Verdict.OK: "green", Verdict.FAULT: "bold red"}
MOST_ROWS = 60
NAMED = 3


class Ended(Protocol):
    """What is told of an attempt's end."""

    @property
    def state(self) -> AttemptState: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def points(self) -> float: ...
    @property
    def max_points(self) -> float: ...
    @property
    def penalty(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Line:
    """What is kept of an attempt: memory must not grow with the checks and words of a whole class."""

    student: str
    assignment: str
    state: AttemptState
    verdict: Verdict
    points: float
    max_points: float
    penalty: float
    wall_seconds: float
    repairs: int

    @classmethod
    def of(cls, attempt: Attempt) -> Line:
        return cls(
            student=attempt.student,
            assignment=attempt.assignment,
            state=attempt.state,
            verdict=attempt.verdict,
            points=attempt.points,
            max_points=attempt.max_points,
            penalty=attempt.penalty,
            wall_seconds=attempt.usage.wall_seconds,
            repairs=sum(len(notebook.repairs) for notebook in attempt.notebooks),
        )


@dataclass
class Tally:
    """The attempts of a batch as they come in."""

    attempts: list[Line] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    tried_again: int = 0

    def add(self, attempt: Attempt, tries: int) -> None:
        self.attempts.append(Line.of(attempt))
        self.found[word_of(attempt)] += 1
        self.tried_again += tries > 1

    def counts(self) -> str:
        """How many of each verdict, the best first, such as ``41 OK, 3 WRONG``."""
        order = [*(each.value for each in Verdict), AttemptState.UNREADABLE.value]
        return ", ".join(f"{self.found[word]} {word}" for word in order if self.found[word])

    def last_words(self, seconds: float) -> list[str]:
        """What somebody wants to know who was away meanwhile; nothing where nothing was graded."""
        if not self.attempts:
            return []
        count = len(self.attempts)
        rate = count / max(seconds, 1e-3)
        said = [f"{count} graded in {duration(seconds)} ({rate:.1f} a second): {self.counts()}"]
        slow = sorted(self.attempts, key=lambda each: each.wall_seconds, reverse=True)[:NAMED]
        named = ", ".join(f"{each.student} {each.wall_seconds:.1f} s" for each in slow)
        said.append(f"slowest: {named}")
        repaired = sum(each.repairs > 0 for each in self.attempts)
        if repaired:
            said.append(f"repaired before judging: {repaired} (`mlsys feedback` says what)")
        if self.tried_again:
            said.append(f"judged again after a fault of ours: {self.tried_again}")
        return said

    def table(self) -> Table | None:
        """By assignment and student; None for a class too large to read one."""
        if not 0 < len(self.attempts) <= MOST_ROWS:
            return None
        table = Table(header_style="bold")
        for column in ("student", "assignment"):
            table.add_column(column)
        table.add_column("points", justify="right")
        table.add_column("verdict")
        for column in ("seconds", "repairs"):
            table.add_column(column, justify="right")
        for each in sorted(self.attempts, key=lambda each: (each.assignment, each.student)):
            table.add_row(
                each.student,
                each.assignment,
                points_of(each),
                verdict_of(each),
                f"{each.wall_seconds:.1f}",
                str(each.repairs or ""),
            )
        return table


def points_of(attempt: Ended) -> str:
    if attempt.state is AttemptState.FAULT:
        return "–"
    late = f" -{number(attempt.penalty)} late" if attempt.penalty else ""
    return f"{number(attempt.points)}/{number(attempt.max_points)}{late}"


def verdict_of(attempt: Ended) -> str:
    return f"[{COLOURS.get(attempt.verdict, 'yellow')}]{word_of(attempt)}[/]"


def word_of(attempt: Ended) -> str:
    return attempt.state.value if attempt.state is AttemptState.UNREADABLE else attempt.verdict.value


def duration(seconds: float) -> str:
    """Such as ``4.2 s``, ``3 min 5 s`` or ``2 h 10 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
