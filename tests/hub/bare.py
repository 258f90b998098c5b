"""A real JupyterHub without this project's services: for tests of who comes in."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from hub import proxy
from hub.configure import free_port
from hub.settings import PACKAGES

NETWORK = """
from pathlib import Path
from hub import proxy
from hub.configure import free_port
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", free_port()
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{{free_port()}}"
c.ConfigurableHTTPProxy.command = proxy.command()
c.ConfigurableHTTPProxy.pid_file = "{state}/proxy.pid"
c.JupyterHub.db_url = "sqlite:///{state}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{state}/cookie"
"""


@contextmanager
def running(state: Path, config: str, *arguments: str, **fields: object) -> Iterator[str]:
    """The hub's address, which ends in /hub/. ``config`` is formatted with ``state``, ``port`` and ``fields``."""
    proxy.install()
    port = free_port()
    file, log = state / "config.py", state / "log"
    file.write_text((NETWORK + config).format(state=state, port=port, **fields))
    command = [sys.executable, "-m", "jupyterhub", "-f", str(file), *arguments]
    with log.open("w") as out, subprocess.Popen(command, cwd=PACKAGES, stdout=out, stderr=out) as process:
        try:
            url = f"http://127.0.0.1:{port}/hub/"
            until_it_answers(url, process, log)
            yield url
        finally:
            process.terminate()


def until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(url + "health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the hub never answered")
