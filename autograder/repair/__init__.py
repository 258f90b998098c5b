"""Repairs a submitted notebook: the course's cells from the source, the student's from the student."""

from autograder.repair.choosing import repair_submission
from autograder.repair.reading import MAX_BYTES, SubmittedCell, SubmittedNotebook, read_notebook
from autograder.repair.rebuilding import Repaired, repair
from autograder.repair.repairs import Repair, RepairKind
from autograder.repair.source import Role, released_text, role_of

__all__ = [
    "MAX_BYTES",
    "Repair",
    "RepairKind",
    "Repaired",
    "Role",
    "SubmittedCell",
    "SubmittedNotebook",
    "read_notebook",
    "released_text",
    "repair",
    "repair_submission",
    "role_of",
]
