"""A Jupyter kernel in a box, for every Jupyter tool: a kernel provisioner.

Contract. A kernelspec (see `kernelspec`) names this provisioner with the box's limits as its config.
jupyter_client creates one for each kernel and calls, in this order: `pre_launch`, `launch_kernel`, then
`poll`, `wait`, `send_signal`, `terminate` and `kill` as it likes, and `cleanup` at the end. A restart
calls the first two again on the same object. nbclient does not shut down a manager that was passed to
it: whoever made the manager calls ``shutdown_kernel(now=True)``.

Theory of operation. The box has no network, so client and kernel speak over unix sockets. They lie in
a small file system of the box's own, which the client reaches through the box's first process
(/proc/PID/root): nothing on the host's disk is written, the path is short enough for a unix socket,
and the program can't fill anything but those kilobytes. The connection file exists in the box as bytes.
The manager takes the addresses from what `launch_kernel` returns, whatever transport it was set to.

Trusts nothing that comes from the kernel: a program in it can send any message. This provisioner is for
running notebooks, not for judging them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Dict, List, Unicode

from autograder.sandbox.box import Box, open_box
from autograder.sandbox.errors import SandboxError
from autograder.sandbox.limits import Limits
from autograder.sandbox.spec import BoxFile, BoxSpec, Scratch

_SOCKETS = Scratch("/run/jupyter", kb=64)
_CONNECTION_FILE = "/opt/kernel/connection.json"
_POLL_SECONDS = 0.05


class BoxProvisioner(LocalProvisioner):
    """Config: ``limits`` (all keys of `Limits`, required), ``hide`` (packages the kernel hasn't)."""

    limits = Dict(config=True, help="The box's limits, every key of them")
    hide = List(Unicode(), config=True, help="Top-level packages whose import fails in the kernel")

    # The handle on the kernel; LocalProvisioner's own, `process`, stays None.
    box: Box | None = None

    @property
    def has_process(self) -> bool:
        return self.box is not None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Open the box; the calling thread must outlive it (see `box`). Returns where the kernel listens.

        Of the keywords, which hold the caller's environment and folder, the box gets nothing.
        """
        info = self.connection_info.copy()
        info.update(_addresses(f"{_SOCKETS.target}/k"))
        self.box = open_box(self._spec(cmd, info))
        info.update(_addresses(f"/proc/{self.box.init_pid}/root{_SOCKETS.target}/k"))
        self.connection_info = info
        return info

    async def poll(self) -> int | None:
        """None while the kernel runs, as of a process; else its exit status, or minus its signal."""
        if self.box is None:
            return 0
        if self.box.running:
            return None
        ending = self.box.ending()
        return ending.code if ending.code is not None else -(ending.signal or signal.SIGKILL)

    async def wait(self) -> int | None:
        while (status := await self.poll()) is None:
            await asyncio.sleep(_POLL_SECONDS)
        self._close()
        return status

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel, or end the box: no other signal means anything to the outside."""
        if self.box is None:
            return
        if signum == signal.SIGINT:
            self.box.interrupt()
        elif signum != 0:
            self.box.kill()

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        self._close()
        await super().cleanup(restart=restart)

    def resolve_path(self, path_str: str) -> str | None:
        """Paths in the box mean nothing outside it."""
        return None

    def _close(self) -> None:
        if self.box is not None:
            self.box.close()
            self.box = None

    def _spec(self, cmd: list[str], inside: KernelConnectionInfo) -> BoxSpec:
        manager: Any = self.parent
        outside_file = os.path.realpath(manager.connection_file)
        key: str | bytes = inside["key"]
        text = {**inside, "key": key.decode() if isinstance(key, bytes) else key}
        return BoxSpec(
            argv=tuple(_CONNECTION_FILE if word == outside_file else word for word in cmd),
            limits=self._limits(),
            files=(BoxFile(_CONNECTION_FILE, json.dumps(text).encode()),),
            scratch=(_SOCKETS,),
            hide=tuple(self.hide),
            # 1 turns off the watch for a parent that is gone: in the box the parent is always process 1.
            env={**self.kernel_spec.env, "JPY_PARENT_PID": "1"},
            name=f"kernel {self.kernel_id}",
        )

    def _limits(self) -> Limits:
        try:
            return Limits(**self.limits)
        except (TypeError, ValueError) as error:
            raise SandboxError(
                f"kernelspec {self.kernel_spec.display_name}: its provisioner's limits are wrong: {error};"
                " write the kernelspec anew with `python -m autograder.sandbox.kernelspec`"
            ) from error


def _addresses(stem: str) -> KernelConnectionInfo:
    """Unix sockets ``stem-1`` to ``stem-5``: what stands for a port is the number at the end."""
    return {
        "transport": "ipc",
        "ip": stem,
        "shell_port": 1,
        "iopub_port": 2,
        "stdin_port": 3,
        "control_port": 4,
        "hb_port": 5,
    }
