"""Runs the mlsys command as a person does: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def mlsys(*arguments: str | Path, timeout: float = 1200, **settings: str) -> subprocess.CompletedProcess[str]:
    """The finished process, its stdout and stderr as text."""
    return subprocess.run(
        [sys.executable, "-m", "hub.cli.app", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "160", **settings},
        check=False,
    )
