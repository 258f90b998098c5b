"""The assignment "layers" with other questions, and judgements of it made by hand.

``check-relu`` offers 8 points instead of 4, ``check-relu-zero`` is gone, the question ``scale`` is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from nbformat.notebooknode import NotebookNode

from autograder.gradebook import AttemptNotebook, GradedNotebook, Policy
from autograder.gradebook.gradebook import repaired_of
from autograder.gradebook.grades import answers
from autograder.gradebook.regrading import Drafted, Keep, Ledger, Revision, released
from autograder.gradebook.rows import attempt_notebook
from autograder.judge import CheckResult, NotebookResult, Usage, Verdict
from autograder.repair import repair
from tests.autograder.gradebook.gradings import DUE, POINTS
from tests.autograder.notebooks import (
    HIDDEN,
    STUB,
    check,
    essay,
    given,
    notebook,
    right,
    solve,
    text,
    two_questions,
)

NEW_POINTS = {"check-relu": ("relu", 8.0), "check-layer": ("layer", 6.0), "check-scale": ("scale", 5.0)}
NEW_MAX = 8 + 6 + 5 + 3


def other_questions() -> NotebookNode:
    return notebook(
        text("# Layers\nRead this first."),
        given("given-1", "import math"),
        solve("relu", STUB, "def relu(x):\n    return max(x, 0)"),
        check("check-relu", f"assert relu(3) == 3\n{HIDDEN}", 8),
        given("given-2", "SCALE = 2"),
        solve(
            "layer",
            "def layer(x):\n    raise NotImplementedError",
            "def layer(x):\n    return SCALE * relu(x)",
        ),
        check("check-layer", "assert layer(2) == 4", 6),
        solve("scale", "def scale():\n    raise NotImplementedError", "def scale():\n    return SCALE"),
        check("check-scale", "assert scale() == 2", 5),
        essay("why", "Because it is not linear.", 3),
    )


def judged(
    wanted: Mapping[str, tuple[str, float]], points: Mapping[str, float] | None = None
) -> NotebookResult:
    """Full points for each check, but where ``points`` says less."""
    checks = []
    for name, (question, most) in wanted.items():
        earned = most if points is None or name not in points else points[name]
        verdict = Verdict.OK if earned == most else Verdict.WRONG
        checks.append(CheckResult(name, question, verdict, earned, most, "" if earned == most else "Off."))
    return NotebookResult(tuple(checks), usage=Usage(1.0, 1 << 20, 2.0))


def drafted(
    ledger: Ledger,
    source: NotebookNode,
    result: NotebookResult | None,
    *,
    student: str = "ada",
    minutes: float = 0,
    seconds: float = 0,
    submitted: NotebookNode | None = None,
    problem: str = "",
) -> Drafted:
    """A judgement of what ``gradings.grading`` has with the same ``minutes``, made ``seconds`` later."""
    repaired = None if problem else repair(source, submitted or right(two_questions()))
    graded = GradedNotebook("layers", source, repaired, result, problem)
    kept = answers(released(ledger)["layers"], repaired_of(graded))
    made: AttemptNotebook = attempt_notebook(graded, kept)
    at = DUE + timedelta(minutes=minutes)
    later = at + timedelta(days=1, seconds=seconds)
    return Drafted(student, f"{abs(minutes):064.0f}", at, later, (made,))


def revision(
    source: NotebookNode,
    *judgements: Drafted,
    layout: Ledger | None = None,
    policy: Policy = Policy.LAST,
    keep: Keep = Keep.REPLACE,
    **fields: Any,
) -> Revision:
    known: dict[str, Any] = {"late": lambda student, at: 0.0, "penalty": lambda late, points: 0.0}
    return Revision(
        assignment="layers",
        sources={"layers": source},
        layout=layout,
        drafted=judgements,
        policy=policy,
        keep=keep,
        **{**known, **fields},
    )


def old_result(**points: float) -> NotebookResult:
    return judged(POINTS, {name.replace("_", "-"): value for name, value in points.items()})


def new_result(**points: float) -> NotebookResult:
    return judged(NEW_POINTS, {name.replace("_", "-"): value for name, value in points.items()})
