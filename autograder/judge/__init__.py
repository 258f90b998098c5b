"""Runs checks in a process that the student can't reach, against the student's box."""

from autograder.errors import AuthorError, GraderError, PlatformError, SubmissionError
from autograder.judge.records import CellResult, CheckResult, NotebookResult, RaceResult, Usage, Verdict, worst

__all__ = [
    "AuthorError",
    "CellResult",
    "CheckResult",
    "GraderError",
    "NotebookResult",
    "PlatformError",
    "RaceResult",
    "SubmissionError",
    "Usage",
    "Verdict",
    "worst",
]
