"""What judges, in short words: the platform's version, Python's and all packages that are installed; and the
platform's own code, which may change between versions.

Contract: the same on two hosts exactly where these are. What isn't in it is the machine: a race that was run
on another one is as good.
"""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Iterable
from importlib.metadata import distributions, version
from pathlib import Path

import autograder


@functools.cache
def environment() -> str:
    """Such as ``0.1.0+env.1f3c9a2be07d``: at most 64 characters."""
    installed = {f"{each.name.lower().replace('_', '-')}=={each.version}" for each in distributions()}
    return f"{version('mlsys-course')}+env.{_digest([platform.python_version(), *sorted(installed)])}"


def code_version() -> str:
    """Such as ``0.1.0+code.1f3c9a2be07d``, read from the files: a running process may have older ones."""
    root = Path(autograder.__file__).parent
    files = sorted(root.rglob("*.py"))
    parts = (f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)
    return f"{version('mlsys-course')}+code.{_digest(parts)}"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
