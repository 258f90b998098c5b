"""Check my work: the visible checks of an assignment, judged as the grader judges them, without a grade."""

from hub.checks.checker import CheckRoom, check_notebook, check_room
from hub.checks.report import CellReport, CheckReport, QuestionReport, Report

__all__ = [
    "CellReport",
    "CheckReport",
    "CheckRoom",
    "QuestionReport",
    "Report",
    "check_notebook",
    "check_room",
]
