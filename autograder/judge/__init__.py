"""Runs checks in a process that the student can't reach, against the student's box."""

from autograder.errors import AuthorError, GraderError, PlatformError, SubmissionError
from autograder.judge.court import Court, Judgement
from autograder.judge.parsing import parse
from autograder.judge.plan import CheckStep, Plan, RunStep, checks_of, plan_notebook
from autograder.judge.records import (
    NOTABLE_OVERHEAD,
    CellResult,
    CheckResult,
    NotebookResult,
    RaceKind,
    RaceResult,
    Usage,
    Verdict,
    worst,
)
from autograder.judge.settings import Settings

__all__ = [
    "NOTABLE_OVERHEAD",
    "AuthorError",
    "CellResult",
    "CheckResult",
    "CheckStep",
    "Court",
    "GraderError",
    "Judgement",
    "NotebookResult",
    "Plan",
    "PlatformError",
    "RaceKind",
    "RaceResult",
    "RunStep",
    "Settings",
    "SubmissionError",
    "Usage",
    "Verdict",
    "checks_of",
    "parse",
    "plan_notebook",
    "worst",
]
