"""Runs untrusted code in a box; knows nothing of courses, checks or grades.

The names below are read from their modules when they are first asked for: the agent, which is a module of
this package, starts in every box and needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.sandbox.box import Box, open_box
    from autograder.sandbox.ending import BoxUsage, Cause, Ending, Side
    from autograder.sandbox.errors import BoxFailed, HostUnfit, SandboxError
    from autograder.sandbox.host import Check, HostReport, Status, inspect_host
    from autograder.sandbox.limits import DEFAULT_LIMITS, Limits
    from autograder.sandbox.python import Interpreter, interpreter
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

_NAMES_OF = {
    "box": ("Box", "open_box"),
    "ending": ("BoxUsage", "Cause", "Ending", "Side"),
    "errors": ("BoxFailed", "HostUnfit", "SandboxError"),
    "host": ("Check", "HostReport", "Status", "inspect_host"),
    "limits": ("DEFAULT_LIMITS", "Limits"),
    "python": ("Interpreter", "interpreter"),
    "spec": ("Bind", "BoxFile", "BoxSpec", "Scratch"),
}
_HOME_OF = {name: module for module, names in _NAMES_OF.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
