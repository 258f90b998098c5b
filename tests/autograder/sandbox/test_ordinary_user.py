"""As root: these tests once more as an ordinary user, whose boxes are made in user namespaces."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autograder

REPOSITORY = Path(autograder.__file__).resolve().parent.parent
# Nobody's, no box's, and none of another worker's: what a user's processes may take, they share.
ORDINARY = 64999 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
HERE = "tests/autograder/sandbox"


def as_ordinary_user(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """This Python under another uid, without any capability."""
    drop = ["--reuid", str(ORDINARY), "--regid", str(ORDINARY), "--clear-groups", "--bounding-set", "-all"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        ["setpriv", *drop, "--", sys.executable, *words],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )


def run_again(tests: str, *options: str) -> None:
    """Those tests as an ordinary user; skipped where one can't read what they need."""
    folder = Path("/var/tmp") / f"mlsys-test-{os.getpid()}"  # noqa: S108 - pytest's own folder is root's alone
    folder.mkdir(mode=0o700)
    os.chown(folder, ORDINARY, ORDINARY)
    try:
        if as_ordinary_user(folder, "-c", "import autograder.sandbox.box").returncode != 0:
            pytest.skip("an ordinary user can't read this checkout or its Python")
        quiet = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-q"]
        done = as_ordinary_user(folder, "-m", "pytest", *quiet, *options, tests)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs them as they are")
def test_boxes_of_an_ordinary_user_hold_too() -> None:
    # What the filter says, and what a cell's text becomes, is worked out alike for everybody.
    run_again(HERE, "-m", "not slow", f"--ignore={HERE}/test_seccomp.py", f"--ignore={HERE}/test_shell.py")
