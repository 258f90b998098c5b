"""Keeps what was submitted and every grading of it; shows grades to people and to nbgrader.

``autograder.gradebook.export`` (tables, with pandas) and ``autograder.gradebook.feedback`` (pages)
are imported by those who need them.
"""

from autograder.gradebook.attempts import (
    Aside,
    Attempt,
    AttemptNotebook,
    AttemptState,
    GradedNotebook,
    Grading,
    Policy,
    source_version,
)
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.intake import Clock, after_the_last, read_folder, take_in
from autograder.gradebook.marking import with_outputs
from autograder.gradebook.mending import mend
from autograder.gradebook.snapshots import (
    Receipt,
    all_receipts,
    content_sha256,
    latest_receipt,
    latest_receipts,
    read_snapshot,
    receipts,
    submitters,
)
from autograder.gradebook.standings import Standing, State, read_standings

__all__ = [
    "Aside",
    "Attempt",
    "AttemptNotebook",
    "AttemptState",
    "Clock",
    "Gradebook",
    "GradedNotebook",
    "Grading",
    "Policy",
    "Receipt",
    "Standing",
    "State",
    "after_the_last",
    "all_receipts",
    "content_sha256",
    "latest_receipt",
    "latest_receipts",
    "mend",
    "read_folder",
    "read_snapshot",
    "read_standings",
    "receipts",
    "source_version",
    "submitters",
    "take_in",
    "with_outputs",
]
