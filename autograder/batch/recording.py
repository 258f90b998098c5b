"""Keeps what was judged.

Contract: a grading that the gradebook can't take for what is in it is kept as a fault, and the batch
goes on. Where the gradebook or the disk fails, PlatformError comes through: no grading could be kept.
"""

from __future__ import annotations

from autograder.batch.grading import fault_of
from autograder.errors import GraderError
from autograder.gradebook import Attempt, Gradebook, Grading, Policy


def record(gradebook: Gradebook, grading: Grading, policy: Policy) -> Attempt:
    """The attempt that a grading became."""
    try:
        return gradebook.record_attempt(grading, policy)
    except GraderError:
        raise
    except Exception as error:  # a submission that our code can't write down must not end the batch
        return gradebook.record_attempt(fault_of(grading, error), policy)
