"""What judging a notebook yields: frozen records, safe to store and to show.

Contract: every string in a ``CheckResult`` may be shown to the student. Nothing here holds
the source, the values or the traceback of a hidden check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
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


# Above it, what the measurement of handing over may miss (a tenth) is more than a hundredth of the time.
NOTABLE_OVERHEAD = 0.1


class RaceKind(StrEnum):
    """What a race measured."""

    SPEED = "speed"
    MEMORY = "memory"
    GROWTH = "growth"


@dataclass(frozen=True)
class RaceResult:
    """A measurement with its interval.

    ``ratio`` is reference / student, of seconds (speed) or of bytes at the peak (memory); for growth it
    is the exponent of time over size. ``samples`` are (student, reference), a pair a row, in seconds or
    bytes a call; for growth (size, seconds). ``marks`` are the (ratio, points) that the author asked for,
    rising; for growth (the highest exponent allowed, points). ``overhead`` is the part of the reference's
    turns that went into handing over arguments and results; it isn't in the samples. ``instructions`` are
    (student, reference) a call, where the host counts them.
    """

    ratio: float
    low: float
    high: float
    pairs: int
    decided: bool
    samples: tuple[tuple[float, float], ...] = ()
    kind: RaceKind = RaceKind.SPEED
    marks: tuple[tuple[float, float], ...] = ()
    smooth: bool = False
    overhead: float = 0.0
    instructions: tuple[float, float] | None = None

    def as_plain(self) -> dict[str, Any]:
        """For JSON and the wire."""
        return asdict(self)

    @classmethod
    def from_plain(cls, sent: Mapping[str, Any]) -> RaceResult:
        """What ``as_plain`` gave; lists for tuples and unknown entries are fine."""
        known = {each.name for each in fields(cls)}
        kept = {name: value for name, value in sent.items() if name in known}
        for name in ("samples", "marks"):
            kept[name] = tuple((float(a), float(b)) for a, b in kept.get(name, ()))
        counted = kept.get("instructions")
        kept["instructions"] = (float(counted[0]), float(counted[1])) if counted else None
        return cls(**{**kept, "kind": RaceKind(kept.get("kind", RaceKind.SPEED))})


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
    """What may be told of what a notebook used, measured from outside the box: in the open pass, or before
    the first check where there was none. Where students are told nothing: in the closed pass."""

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
