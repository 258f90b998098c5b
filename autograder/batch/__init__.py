"""Grades many submissions at once and says how far it is."""

from autograder.batch.engine import Batch, default_workers, run_batch
from autograder.batch.grading import GradingRoom, Penalty, no_penalty
from autograder.batch.jobs import Job, find_jobs, read_sources

__all__ = [
    "Batch",
    "GradingRoom",
    "Job",
    "Penalty",
    "default_workers",
    "find_jobs",
    "no_penalty",
    "read_sources",
    "run_batch",
]
