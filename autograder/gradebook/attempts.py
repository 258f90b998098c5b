"""Attempts: what a grading is, what is kept of it, and which one counts.

Contract: plain records. ``Grading`` is what the driver hands over after judging; ``Attempt`` is
what the gradebook gives back. ``choose`` is the one place that says which attempt counts.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version

from nbformat.notebooknode import NotebookNode

from autograder.judge import CheckResult, NotebookResult, Usage, Verdict, worst
from autograder.repair import Repair, Repaired


class AttemptState(StrEnum):
    """GRADED has marks; UNREADABLE is zero with a reason; FAULT is ours and has none."""

    GRADED = "graded"
    UNREADABLE = "unreadable"
    FAULT = "fault"


class Policy(StrEnum):
    """Which attempt counts."""

    LAST = "last"
    BEST = "best"


class Aside(StrEnum):
    """Why an attempt never counts: UNDONE with the regrading that brought it, or LOWER than the one before,
    by a regrading that lowers nobody's points."""

    UNDONE = "undone"
    LOWER = "lower"


@dataclass(frozen=True)
class GradedNotebook:
    """One notebook of a grading: repaired and judged, or the ``problem`` that it has.

    ``name`` has no ".ipynb". ``source`` is the source notebook that it was judged against.
    """

    name: str
    source: NotebookNode
    repaired: Repaired | None = None
    result: NotebookResult | None = None
    problem: str = ""


@dataclass(frozen=True)
class Grading:
    """A judged submission. Times have zones; ``penalty`` is in points, for lateness.

    ``fault``: the platform's own words where it couldn't judge; nothing is graded then. ``trace``: where
    our code failed, for staff alone.
    ``files``: further files to lay beside the graded notebooks, for the formgrader.
    """

    student: str
    assignment: str
    sha256: str
    submitted: datetime
    graded: datetime
    notebooks: tuple[GradedNotebook, ...]
    late_seconds: float = 0.0
    penalty: float = 0.0
    fault: str = ""
    trace: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str, NotebookNode]:
        """The source notebooks, by name."""
        return {each.name: each.source for each in self.notebooks}

    @property
    def state(self) -> AttemptState:
        """FAULT if anything is ours; UNREADABLE if no notebook could be read."""
        judged = [each.result for each in self.notebooks if each.result is not None]
        if self.fault or any(result.verdict is Verdict.FAULT for result in judged):
            return AttemptState.FAULT
        return AttemptState.GRADED if judged else AttemptState.UNREADABLE

    def as_fault(self, words: str, trace: str = "") -> Grading:
        """The same grading as a fault of ours: nothing in it is judged."""
        unjudged = tuple(GradedNotebook(each.name, each.source) for each in self.notebooks)
        return replace(self, notebooks=unjudged, penalty=0.0, fault=words, trace=trace, files={})


@dataclass(frozen=True)
class AttemptNotebook:
    """What is kept of one notebook of an attempt. ``answers``: for each solution cell, what became of it."""

    name: str
    problem: str
    checks: tuple[CheckResult, ...]
    usage: Usage
    repairs: tuple[Repair, ...]
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """One grading as the gradebook keeps it. ``counts``: its marks are the student's grade; ``aside``: why
    they never will be."""

    id: int
    student: str
    assignment: str
    number: int
    sha256: str
    submitted: datetime
    graded: datetime
    late_seconds: float
    penalty: float
    state: AttemptState
    points: float
    max_points: float
    message: str
    source_version: str
    package_version: str
    counts: bool
    notebooks: tuple[AttemptNotebook, ...]
    aside: Aside | None = None

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict of its checks; FAULT for a fault."""
        if self.state is AttemptState.FAULT:
            return Verdict.FAULT
        return worst([check.verdict for each in self.notebooks for check in each.checks])

    @property
    def usage(self) -> Usage:
        """What all its notebooks used together; the highest peak of memory."""
        used = [each.usage for each in self.notebooks]
        return Usage(
            cpu_seconds=sum(each.cpu_seconds for each in used),
            peak_bytes=max((each.peak_bytes for each in used), default=0),
            wall_seconds=sum(each.wall_seconds for each in used),
        )


def choose(attempts: Sequence[Attempt], policy: Policy) -> Attempt | None:
    """The attempt that counts; a fault never does, and a regrading replaces what it regrades, unless its
    attempt was set aside."""
    newest = newest_gradings(attempts)
    if policy is Policy.BEST:
        return max(newest.values(), key=lambda a: (a.points - a.penalty, a.submitted, a.id), default=None)
    return max(newest.values(), key=lambda a: (a.submitted, a.id), default=None)


def newest_gradings(attempts: Sequence[Attempt]) -> dict[tuple[str, datetime], Attempt]:
    """(sha256, time) of each submission of one student -> its newest grading that may count."""
    newest: dict[tuple[str, datetime], Attempt] = {}
    for attempt in sorted(attempts, key=lambda each: each.id):
        if attempt.state is not AttemptState.FAULT and attempt.aside is None:
            newest[attempt.sha256, attempt.submitted] = attempt
    return newest


def choose_newest(attempts: Sequence[Attempt]) -> Attempt | None:
    """The newest grading of the newest submission that has one; faults are passed over."""
    return choose(attempts, Policy.LAST)


def source_version(sources: Mapping[str, NotebookNode]) -> str:
    """The SHA-256 of what decides marks in source notebooks: cells, their marks, the settings."""
    content = [
        (
            name,
            sources[name].metadata.get("mlsys"),
            [
                (cell.cell_type, cell.source, cell.metadata.get("nbgrader"), cell.metadata.get("mlsys"))
                for cell in sources[name].cells
            ],
        )
        for name in sorted(sources)
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.cache
def package_version() -> str:
    """The version of the code that judges."""
    return version("mlsys-course")


def repairs_record(repairs: Sequence[Repair]) -> list[dict[str, str]]:
    """Repairs as plain data."""
    return [{key: str(value) for key, value in asdict(each).items()} for each in repairs]
