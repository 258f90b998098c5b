"""Keeps the course service running, and its callers waiting rather than refused while it starts.

Contract: JupyterHub runs ``python -m hub.supervisor`` as its managed service. This process opens the
listening socket of JUPYTERHUB_SERVICE_URL and never serves it; its child, ``python -m hub.service``,
does. A child that ends is replaced at once (JupyterHub itself looks every 30 seconds), after a pause if it
did not live long. Callers who come meanwhile wait in the socket's queue. SIGTERM ends both; the child ends
when this process does, however that ends.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from types import FrameType
from urllib.parse import urlsplit

from autograder.errors import PlatformError

LISTEN_FD, SUPERVISOR = "MLSYS_LISTEN_FD", "MLSYS_SUPERVISOR"
WAITING = 2048  # callers in the queue; Linux caps it at net.core.somaxconn
YOUNG_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 30.0
GRACE_SECONDS = 20.0


class Supervisor:
    """One listening socket and the process that serves it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.listening = open_listener(environment.get("JUPYTERHUB_SERVICE_URL", ""))
        self.child: subprocess.Popen[bytes] | None = None
        self.starting = False
        self.ending = False

    def run(self) -> int:
        """Serves until SIGTERM; then the child's exit status."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._end)
        pause = 0.0
        while True:
            started = time.monotonic()
            status = self._serve_once()
            if self.ending:
                return status
            lived = time.monotonic() - started
            pause = 0.0 if lived > YOUNG_SECONDS else min(LONGEST_PAUSE_SECONDS, 2 * pause + 1)
            sys.stderr.write(f"the course service ended ({status}); starting it again in {pause:.0f} s\n")
            time.sleep(pause)

    def _serve_once(self) -> int:
        descriptor = self.listening.fileno()
        self.starting = True
        self.child = subprocess.Popen(
            [sys.executable, "-m", "hub.service"],
            env={**self.environment, LISTEN_FD: str(descriptor), SUPERVISOR: str(os.getpid())},
            pass_fds=[descriptor],
        )
        self.starting = False
        if self.ending:  # told while it was started
            self.child.terminate()
        return self.child.wait()

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.ending = True
        if self.starting:
            return
        if self.child is None or self.child.poll() is not None:
            sys.exit(0)
        self.child.terminate()


def open_listener(url: str) -> socket.socket:
    """Raises PlatformError for what is no http://host:port."""
    parsed = urlsplit(url)
    if parsed.scheme != "http" or not parsed.hostname or not parsed.port:
        raise PlatformError(f"JUPYTERHUB_SERVICE_URL is {url!r}; it must be http://host:port")
    return socket.create_server((parsed.hostname, parsed.port), backlog=WAITING)


def main() -> int:
    try:
        return Supervisor(os.environ).run()
    except (PlatformError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
