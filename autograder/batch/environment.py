"""Fingerprints of what judges: the installed packages, and this project's own code.

Contract: the same fingerprint on every host with the same Python and packages. What isn't in it is the
machine: a race that was run on another one is as good.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

import autograder
from autograder.gradebook.attempts import package_version


def environment_fingerprint() -> str:
    """Of Python and every installed package with its version, 64 hexadecimal digits."""
    installed = sorted({f"{each.name}=={each.version}" for each in distributions()})
    return _digest([f"{platform.python_implementation()} {platform.python_version()}", *installed])


def code_version() -> str:
    """The version of the code that judges, and a fingerprint of its files: versions outlive a change."""
    root = Path(autograder.__file__).parent
    files = sorted(root.rglob("*.py"))
    parts = (f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)
    return f"{package_version()}+{_digest(parts)[:12]}"


def _digest(lines: Iterable[str]) -> str:
    total = hashlib.sha256()
    for line in lines:
        total.update(f"{line}\n".encode())
    return total.hexdigest()
