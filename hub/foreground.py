"""Runs a hub in the foreground, for systemd and containers: this process becomes JupyterHub.

``python -m hub.foreground`` reads MLSYS_HUB_STATE, as `mlsys up` does, which sets the hub up the first
time. `mlsys status` and `mlsys down` find it as they find one that `mlsys up` started.

Theory of operation. Boxes' groups (cgroup v2) lie beside the hub's in the unit's own, which may hold no
process then: the kernel's rule. systemd 254 and later starts the hub in the group beside (DelegateSubgroup=)
and leaves boxes alone when it starts it anew. An older one starts it in the unit's own and fails while boxes
have groups there, so ``--make-way``, the unit's ExecStopPost=, ends them and takes their limits back.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from autograder.errors import GraderError, PlatformError
from hub import lifecycle, proxy
from hub.settings import PACKAGES, HubSettings, read_settings
from hub.spawner.processes import Process, start_time

GROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = "+memory +pids +cpu"
CONTROLLERS_BACK = CONTROLLERS.replace("+", "-")
INNER = "hub"  # DelegateSubgroup= of the unit
MOVED = "main"  # where the hub puts itself if systemd didn't
CONTROL = ".control"  # where systemd puts what it runs at a unit's stop
PATIENCE_SECONDS = 10.0


def main() -> int:
    """Never returns where all is well, but with ``--make-way``."""
    if sys.argv[1:] == ["--make-way"]:
        make_way()
        return 0
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
    """Sees that this process is in a group inside its unit's, so that boxes can have groups beside it.

    Where systemd has delegated a group of cgroup v2 to the service (``Delegate=``), exact limits of
    memory and processes then hold for each box. Elsewhere nothing is changed and False returned.
    ``own``: the text of /proc/self/cgroup.
    """
    group = _own_group(own, groups)
    if group is None:
        return False
    with contextlib.suppress(OSError):
        unit = group.parent if group.name == INNER else group
        if unit == group:
            (unit / MOVED).mkdir(exist_ok=True)
            (unit / MOVED / "cgroup.procs").write_text(str(os.getpid()))
        (unit / "cgroup.subtree_control").write_text(CONTROLLERS)
        return True
    return False


def make_way(own: str | None = None, groups: Path = GROUPS) -> bool:
    """Ends the boxes that a hub left which had put itself beside them, so that systemd can start another.

    ``own``: the text of /proc/self/cgroup, of a process of the unit's.
    """
    group = _own_group(own, groups)
    if group is None:
        return False
    unit = group.parent if group.name == CONTROL else group
    if not (unit / MOVED).is_dir():
        return False
    with contextlib.suppress(OSError):
        for box in _boxes(unit):
            (box / "cgroup.kill").write_text("1")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _boxes(unit) and time.monotonic() < deadline:
            time.sleep(0.05)  # who keeps a box reads what it used, and removes its group
        (unit / "cgroup.subtree_control").write_text(CONTROLLERS_BACK)
        return True
    return False


def _boxes(unit: Path) -> list[Path]:
    return [each for each in unit.iterdir() if each.is_dir() and each.name not in (MOVED, CONTROL)]


def _own_group(own: str | None, groups: Path) -> Path | None:
    """The folder of this process's group; None where that isn't of version 2 alone, or is the root."""
    lines = (own if own is not None else Path("/proc/self/cgroup").read_text()).split()
    unified = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return groups / unified[0] if len(lines) == 1 and unified and unified[0] else None


if __name__ == "__main__":
    sys.exit(main())
