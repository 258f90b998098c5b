"""What a call needs in memory beyond what was there before it, from a turn's counters.

Contract: bytes in, bytes out; nothing here measures. The counters are the kernel's (see ``turnstile``).

Theory of operation. The peak of the box's resident memory in a turn, less what was resident before the first
call. A program could hold a pool from its cells on, so that a call adds nothing: what it holds before the
first call counts only as far as the reference holds it too, and POOL more. A program could compute in a
process that is gone at the turn's end: the rise of the control group's memory counts if it is larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autograder.speed.race import Measurement

ROUNDS = 5
FORGIVEN = 1  # a round in which something else of the process, such as a first import, needed more
GRAIN = 1 << 20  # what the interpreter itself needs now and then; smaller differences aren't told apart
POOL = 16 << 20


class Counted(Protocol):
    """A turn's counters, in bytes."""

    @property
    def peak(self) -> int: ...
    @property
    def grown(self) -> int: ...


@dataclass(frozen=True)
class Baseline:
    """A side's memory when its box was new, and before its first call."""

    start: int
    before: int

    def held(self) -> int:
        return self.before - self.start


def student_baseline(student: Baseline, reference: Baseline) -> int:
    """What counts as there before the student's call."""
    return min(student.before, student.start + max(0, reference.held()) + POOL)


def extra(turn: Counted, baseline: int) -> int:
    """Bytes that the call needed at its peak."""
    return max(0, turn.peak - baseline, turn.grown)


def ratio(student: float, reference: float) -> float:
    """Reference / student extra bytes, a GRAIN added to both."""
    return (reference + GRAIN) / (student + GRAIN)


def footprint(samples: Sequence[tuple[float, float]]) -> Measurement:
    """The ratio, with its extremes, from the rounds' (student, reference) extra bytes.

    It is the lowest but FORGIVEN, and decides: what a function needs is its most, and who is lean in some
    calls isn't lean.
    """
    ratios = sorted(ratio(student, reference) for student, reference in samples)
    return Measurement(ratios[FORGIVEN], ratios[0], ratios[-1], True, tuple(samples))
