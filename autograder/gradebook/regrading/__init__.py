"""Regrading as a transaction: planned on a copy of the rows, published whole, and taken back whole."""

from autograder.gradebook.regrading.audit import Regrading, Warrant, regradings
from autograder.gradebook.regrading.cells import is_fit, released
from autograder.gradebook.regrading.ledger import Ledger, read_ledger
from autograder.gradebook.regrading.plan import Drafted, Keep, Move, Plan, Revision, carried_check
from autograder.gradebook.regrading.publishing import (
    Stale,
    counts_of,
    direction,
    plan_revision,
    publish,
    require_seen,
    undo,
)
from autograder.gradebook.regrading.sheet import Points

__all__ = [
    "Drafted",
    "Keep",
    "Ledger",
    "Move",
    "Plan",
    "Points",
    "Regrading",
    "Revision",
    "Stale",
    "Warrant",
    "carried_check",
    "counts_of",
    "direction",
    "is_fit",
    "plan_revision",
    "publish",
    "read_ledger",
    "regradings",
    "released",
    "require_seen",
    "undo",
]
