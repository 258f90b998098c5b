"""JupyterHub's spawner for one machine: every server in a box, kept by a process of its own.

Contract (JupyterHub calls, in this order): ``start`` returns the server's address or raises with what
to do; ``poll`` says None while it runs; ``stop`` ends it; ``get_state`` / ``load_state`` carry the
keeper over a restart of the hub, which then finds running servers again.

What a server sees: this Python and the platform's packages, read-only; its user's home, writable; and
what ``belongings`` names. No network but the hub's public address (see `keeper`). Who sees a server: its
own user's browser, and who shows a token (see `gate`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from jupyterhub import __version__
from jupyterhub.spawner import Spawner
from traitlets import Any as AnyTrait
from traitlets import Dict, Integer, Unicode

from autograder.errors import PlatformError
from autograder.sandbox import DEFAULT_LIMITS, Limits
from autograder.sandbox.policy import can_change_uid
from hub.settings import PACKAGES
from hub.spawner.gate import Gate, server_key
from hub.spawner.homes import home_of
from hub.spawner.keeper import SERVER_PORT, Order
from hub.spawner.processes import Process, is_running, start_time

INSIDE_PACKAGES = "/opt/mlsys"
SHOWN_PACKAGES = ("autograder", "course", "hub")
# -P: a module in the home must not take the place of one that the server loads.
SERVER = (sys.executable, "-P", "-m", "hub.lean", "jupyterhub-singleuser")
MOST_SOCKET_PATH = 100  # bytes; a unix socket's address has 108

DEFAULT_SERVER_LIMITS = replace(
    DEFAULT_LIMITS, cpu_seconds=1e6, memory_mb=2048, processes=256, file_mb=1024, tmp_mb=256
)


class BoxedSpawner(Spawner):  # type: ignore[misc]  # JupyterHub has no types
    """Config as of any spawner, and the traits below."""

    state_dir = Unicode(config=True, help="The hub's state directory: homes/ and servers/ lie in it")
    public_port = Integer(8000, config=True, help="The proxy's port on this machine's loopback")
    box_limits = Dict(config=True, help="Limits of a server's box that differ from the defaults, by name")
    gate_secret = Unicode(config=True, help="What the keys of the servers' gates derive from; hexadecimal")
    belongings: Any = AnyTrait(
        config=True, help="A function: user name -> Belongings, what this user's server has beside its home"
    )

    keeper: Process | None = None

    async def start(self) -> str:
        order = self._order()
        self.log.info("starting the box of %s", self.user.name)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hub.spawner.keeper",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=PACKAGES,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        self.keeper = Process(process.pid, start_time(process.pid))
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - asked for above
        process.stdin.write(order.to_json().encode())
        process.stdin.close()
        told = json.loads(await process.stdout.readline() or b'{"error": "the keeper ended without a word"}')
        if "error" in told:
            raise PlatformError(f"the server of {self.user.name} did not start: {told['error']}")
        return f"http://127.0.0.1:{told['port']}"

    async def poll(self) -> int | None:
        if self.keeper is None or not is_running(self.keeper):
            self.keeper = None
            return 0
        return None

    async def stop(self, now: bool = False) -> None:
        if self.keeper is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.keeper.pid, signal.SIGTERM)
        for _ in range(100):
            if await self.poll() is not None:
                return
            await asyncio.sleep(0.1)
        self.log.warning("the keeper of %s did not end by itself", self.user.name)
        if self.keeper is not None and is_running(self.keeper):
            os.kill(self.keeper.pid, signal.SIGKILL)

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self.keeper is not None:
            state["keeper"] = [self.keeper.pid, self.keeper.started]
        return state

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        if "keeper" in state:
            self.keeper = Process(*state["keeper"])

    def clear_state(self) -> None:
        super().clear_state()
        self.keeper = None

    def _order(self) -> Order:
        state = Path(self.state_dir)
        folder = state / "servers" / sha256(self.user.name.encode()).hexdigest()[:16]
        if len(os.fsencode(folder / "out.sock")) > MOST_SOCKET_PATH:
            raise PlatformError(f"{folder} is too long for a unix socket; give `mlsys up` a shorter --state")
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        given = self.belongings(self.user.name)
        root = can_change_uid()
        home = home_of(state / "homes", self.user.name, own_uid=root, uid=given.uid)
        inside = f"/home/{self.user.name}"
        packages = tuple(
            (str(PACKAGES / name), f"{INSIDE_PACKAGES}/{name}", False) for name in SHOWN_PACKAGES
        )
        return Order(
            name=self.user.name,
            argv=(*SERVER, *self._arguments(home, root)),
            env=self._environment(inside) | given.env,
            binds=(*packages, (str(home), inside, True), *given.binds),
            limits=Limits(**{**vars(DEFAULT_SERVER_LIMITS), **self.box_limits}),
            uid=home.stat().st_uid if root else None,
            home=inside,
            hub_port=self.public_port,
            folder=str(folder),
            log=str(folder / "server.log"),
            gate=self._gate(),
        )

    def _gate(self) -> Gate:
        if not self.gate_secret:
            raise PlatformError("BoxedSpawner.gate_secret is not set; a server without a gate is not started")
        return Gate(
            key=server_key(bytes.fromhex(self.gate_secret), self.user.name).hex(),
            prefix=self.server.base_url,
            own=f"{self.hub.base_url}own",
            user=self.user.name,
            version=__version__,
        )

    def _arguments(self, home: Path, root: bool) -> list[str]:
        """An instructor's server runs as the owner of the course directory, which may be root: in the
        box, without any of root's capabilities."""
        allowed = ["--allow-root"] if root and home.stat().st_uid == 0 else []
        return [*self.get_args(), *allowed]

    def _environment(self, home: str) -> dict[str, str]:
        """JupyterHub's variables, at the addresses that a box knows."""
        hub = f"http://127.0.0.1:{self.public_port}"
        base: str = self.hub.base_url  # "/hub/"
        own = {name: value for name, value in self.get_env().items() if name.startswith("JUPYTERHUB_")}
        return own | {
            "JUPYTERHUB_API_URL": f"{hub}{base}api",
            "JUPYTERHUB_ACTIVITY_URL": f"{hub}{base}api/users/{self.user.name}/activity",
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{SERVER_PORT}{self.server.base_url}",
            "HOME": home,
            "USER": self.user.name,
            "LOGNAME": self.user.name,
            "SHELL": "/bin/bash",
            "PS1": r"\w\$ ",
            "PYTHONPATH": INSIDE_PACKAGES,
            "MPLCONFIGDIR": f"{home}/.matplotlib",
            "IPYTHONDIR": f"{home}/.ipython",
        }
