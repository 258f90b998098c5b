"""Grades many submissions at once and says how far it is."""

from autograder.batch.bench import Bench, LocalBench
from autograder.batch.engine import Batch, Finished, default_workers, run_batch
from autograder.batch.grading import Due, GradingRoom, Penalty, never, no_penalty
from autograder.batch.jobs import Found, Job, find_jobs, read_sources
from autograder.batch.memory import Memory
from autograder.batch.recording import record

__all__ = [
    "Batch",
    "Bench",
    "Due",
    "Finished",
    "Found",
    "GradingRoom",
    "Job",
    "LocalBench",
    "Memory",
    "Penalty",
    "default_workers",
    "find_jobs",
    "never",
    "no_penalty",
    "read_sources",
    "record",
    "run_batch",
]
