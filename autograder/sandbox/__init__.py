"""Runs untrusted code in a box; knows nothing of courses, checks or grades."""

from autograder.sandbox.limits import DEFAULT_LIMITS, Limits

__all__ = ["DEFAULT_LIMITS", "Limits"]
