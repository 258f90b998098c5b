"""Runs untrusted code in a box; knows nothing of courses, checks or grades."""

from autograder.sandbox.box import Box, open_box
from autograder.sandbox.ending import BoxUsage, Cause, Ending, Side
from autograder.sandbox.errors import BoxFailed, HostUnfit, SandboxError
from autograder.sandbox.host import Check, HostReport, Status, inspect_host
from autograder.sandbox.interpreter import Interpreter, interpreter
from autograder.sandbox.limits import DEFAULT_LIMITS, Limits
from autograder.sandbox.spec import Bind, BoxFile, BoxSpec, Scratch

__all__ = [
    "DEFAULT_LIMITS",
    "Bind",
    "Box",
    "BoxFailed",
    "BoxFile",
    "BoxSpec",
    "BoxUsage",
    "Cause",
    "Check",
    "Ending",
    "HostReport",
    "HostUnfit",
    "Interpreter",
    "Limits",
    "SandboxError",
    "Scratch",
    "Side",
    "Status",
    "inspect_host",
    "interpreter",
    "open_box",
]
