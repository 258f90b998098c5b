"""Runs a hub in the foreground, for systemd and containers: this process becomes JupyterHub.

``python -m hub.foreground`` reads MLSYS_HUB_STATE, as `mlsys up` does, which sets the hub up the first
time. `mlsys status` and `mlsys down` find it as they find one that `mlsys up` started.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from autograder.errors import GraderError, PlatformError
from hub import lifecycle, proxy
from hub.settings import PACKAGES, HubSettings, read_settings
from hub.spawner.processes import Process, start_time

GROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = "+memory +pids +cpu"
INNER = "hub"


def main() -> int:
    """Never returns where all is well."""
    try:
        settings = read_settings(Path(os.environ.get("MLSYS_HUB_STATE", "run/hub")))
        if lifecycle.running(settings) is not None:
            raise PlatformError(f"the hub of {settings.state} runs already; stop it with `mlsys down`")
        proxy.install()
        lifecycle.note_places(settings)
    except GraderError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    make_room_for_boxes()
    return become_the_hub(settings)


def become_the_hub(settings: HubSettings) -> NoReturn:
    own = Process(os.getpid(), start_time(os.getpid()))
    (settings.state / lifecycle.PID).write_text(json.dumps(asdict(own)))
    os.chdir(PACKAGES)
    config = str(PACKAGES / "hub" / "jupyterhub_config.py")
    environment = {**os.environ, "MLSYS_HUB_STATE": str(settings.state)}
    command = [sys.executable, "-m", "hub.lean", "jupyterhub", "--config", config]
    os.execve(sys.executable, command, environment)  # noqa: S606  # our own program


def make_room_for_boxes(own: str | None = None, groups: Path = GROUPS) -> bool:
    """Moves this process into a group inside its own, so that boxes can have groups beside it.

    Where systemd has delegated a group of cgroup v2 to the service (``Delegate=``), exact limits of
    memory and processes then hold for each box. Elsewhere nothing is changed and False returned.
    ``own``: the text of /proc/self/cgroup.
    """
    lines = (own if own is not None else Path("/proc/self/cgroup").read_text()).split()
    unified = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    if len(lines) != 1 or not unified or not unified[0]:
        return False
    base = groups / unified[0]
    with contextlib.suppress(OSError):
        (base / INNER).mkdir(exist_ok=True)
        (base / INNER / "cgroup.procs").write_text(str(os.getpid()))
        (base / "cgroup.subtree_control").write_text(CONTROLLERS)
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
