"""Keeps what was submitted and every grading of it; shows grades to people and to nbgrader."""

from autograder.gradebook.attempts import (
    Attempt,
    AttemptNotebook,
    AttemptState,
    GradedNotebook,
    Grading,
    Policy,
    source_version,
)
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.intake import read_folder, take_in
from autograder.gradebook.marking import with_outputs
from autograder.gradebook.snapshots import (
    Receipt,
    content_sha256,
    latest_receipt,
    latest_receipts,
    read_snapshot,
    receipts,
)

__all__ = [
    "Attempt",
    "AttemptNotebook",
    "AttemptState",
    "Gradebook",
    "GradedNotebook",
    "Grading",
    "Policy",
    "Receipt",
    "content_sha256",
    "latest_receipt",
    "latest_receipts",
    "read_folder",
    "read_snapshot",
    "receipts",
    "source_version",
    "take_in",
    "with_outputs",
]
