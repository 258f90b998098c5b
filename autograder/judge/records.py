"""What judging a notebook yields: frozen records, safe to store and to show.

Contract: every string in a ``CheckResult`` may be shown to the student. Nothing here holds
the source, the values or the traceback of a hidden check.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How a check or a cell ended. FAULT is ours and is never a grade."""

    OK = "OK"
    WRONG = "WRONG"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"
    MEMORY = "MEMORY"
    CRASH = "CRASH"
    FAULT = "FAULT"


SEVERITY = tuple(Verdict)


def worst(verdicts: list[Verdict]) -> Verdict:
    """The most severe verdict, OK for none."""
    return max(verdicts, key=SEVERITY.index, default=Verdict.OK)


@dataclass(frozen=True)
class RaceResult:
    """A speed measurement: ratio = reference seconds / student seconds, with its interval."""

    ratio: float
    low: float
    high: float
    pairs: int
    decided: bool
    student_seconds: float
    reference_seconds: float
    samples: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """One check of one submission. ``check`` is the grade_id of its test cell."""

    check: str
    question: str
    verdict: Verdict
    points: float
    max_points: float
    message: str = ""
    seconds: float = 0.0
    race: RaceResult | None = None


@dataclass(frozen=True)
class CellResult:
    """One of the student's cells: outputs are nbformat v4 dicts, already capped."""

    index: int
    status: Verdict
    outputs: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Usage:
    """What the closed pass used, measured from outside the box."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    wall_seconds: float = 0.0


@dataclass(frozen=True)
class NotebookResult:
    """The judgement of one notebook."""

    checks: tuple[CheckResult, ...]
    cells: tuple[CellResult, ...] = ()
    usage: Usage = field(default_factory=Usage)

    @property
    def points(self) -> float:
        """Points earned; meaningless while ``verdict`` is FAULT."""
        return sum(check.points for check in self.checks)

    @property
    def max_points(self) -> float:
        """Points that the notebook's checks offer."""
        return sum(check.max_points for check in self.checks)

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict of its checks."""
        return worst([check.verdict for check in self.checks])
