"""Runs untrusted code in a box; knows nothing of courses, checks or grades."""

from autograder.sandbox.box import Box, open_box
from autograder.sandbox.ending import BoxUsage, Cause, Ending, Side
from autograder.sandbox.errors import BoxFailed, HostUnfit, SandboxError
from autograder.sandbox.interpreter import Interpreter, interpreter
from autograder.sandbox.limits import DEFAULT_LIMITS, Limits
from autograder.sandbox.spec import Bind, BoxFile, BoxSpec

__all__ = [
    "DEFAULT_LIMITS",
    "Bind",
    "Box",
    "BoxFailed",
    "BoxFile",
    "BoxSpec",
    "BoxUsage",
    "Cause",
    "Ending",
    "HostUnfit",
    "Interpreter",
    "Limits",
    "SandboxError",
    "Side",
    "interpreter",
    "open_box",
]
