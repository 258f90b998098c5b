"""Hand-made gradings of the assignment "layers"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode

from autograder.gradebook import Gradebook, GradedNotebook, Grading
from autograder.judge import CellResult, CheckResult, NotebookResult, Usage, Verdict
from autograder.repair import Repaired, repair
from course.gradebook import gradebook_url
from tests.autograder.notebooks import right, two_questions

DUE = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
POINTS = {"check-relu": ("relu", 4.0), "check-relu-zero": ("relu", 2.0), "check-layer": ("layer", 6.0)}


def open_gradebook(course: Path) -> Gradebook:
    """The gradebook of a released course directory."""
    return Gradebook(gradebook_url(course), course)


def result(*verdicts: Verdict, points: dict[str, float] | None = None, **fields: Any) -> NotebookResult:
    """A result for the three checks: OK gives full points, all else none, unless ``points`` says more."""
    verdicts = verdicts or (Verdict.OK,) * 3
    checks = []
    for (name, (question, most)), verdict in zip(POINTS.items(), verdicts, strict=True):
        earned = (points or {}).get(name, most if verdict is Verdict.OK else 0.0)
        message = "" if verdict is Verdict.OK else f"Words about {name}."
        checks.append(CheckResult(name, question, verdict, earned, most, message, seconds=0.5))
    usage = Usage(cpu_seconds=1.5, peak_bytes=300 << 20, wall_seconds=2.5)
    return NotebookResult(tuple(checks), usage=usage, **fields)


def printed(index: int, text: str) -> CellResult:
    """A student's cell that printed this."""
    return CellResult(index, Verdict.OK, ({"output_type": "stream", "name": "stdout", "text": text},))


def grading(
    judged: NotebookResult | None = None,
    *,
    submitted: NotebookNode | None = None,
    problem: str = "",
    minutes: float = 0,
    sha256: str = "",
    source: NotebookNode | None = None,
    **fields: Any,
) -> Grading:
    """A grading of "layers" by ada, submitted some minutes after ``DUE``."""
    source = source or two_questions()
    repaired: Repaired | None = None if problem else repair(source, submitted or right(source))
    part = GradedNotebook("layers", source, repaired, judged if repaired else None, problem)
    at = DUE + timedelta(minutes=minutes)
    known: dict[str, Any] = {
        "student": "ada",
        "assignment": "layers",
        "sha256": sha256 or f"{abs(minutes):064.0f}",
        "submitted": at,
        "graded": at + timedelta(hours=1),
        "notebooks": (part,),
    }
    return Grading(**{**known, **fields})
