"""JupyterHub's proxy (configurable-http-proxy, a Node program), installed beside this Python.

Contract: `install` puts the locked versions into a folder of this environment and does nothing where
they are already there. Needs node and npm. Run as ``python -m hub.proxy`` by the set-up.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from autograder.errors import PlatformError

LISTS = ("package.json", "package-lock.json")
HOME = Path(sys.prefix, "share", "mlsys", "proxy")
INSTALL_SECONDS = 300


def command(home: Path = HOME) -> list[str]:
    """The command that starts the proxy. Raises PlatformError where node is missing."""
    return [_program("node"), str(home / "node_modules/configurable-http-proxy/bin/configurable-http-proxy")]


def is_installed(home: Path = HOME) -> bool:
    """Whether the versions that this code names are there."""
    stamp = home / ".installed"
    return stamp.is_file() and stamp.read_text() == _version() and Path(command(home)[1]).is_file()


def install(home: Path = HOME) -> None:
    """Installs the proxy. Raises PlatformError that says what to do."""
    if is_installed(home):
        return
    npm = _program("npm")
    home.mkdir(parents=True, exist_ok=True)
    for name in LISTS:
        shutil.copy(Path(__file__).with_name(name), home / name)
    done = subprocess.run(  # noqa: S603 - our own list
        [npm, "ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-3:]
        raise PlatformError(f"npm could not install the proxy into {home}: {' '.join(said)}")
    (home / ".installed").write_text(_version())


def _version() -> str:
    return sha256(b"".join(Path(__file__).with_name(name).read_bytes() for name in LISTS)).hexdigest()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise PlatformError(f"{name} not found; install the packages nodejs and npm (Node 18 or newer)")
    return found
