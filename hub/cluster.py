"""A grading cluster on one machine: a Dask scheduler and workers, as child processes.

Contract: `Cluster` starts them, starts again what dies, and ends them all with ``close``. They listen on
``host``, talk TLS with the certificates of one folder, and keep nothing on disk but Dask's own scratch.
On more machines the same two commands run by hand, or by a batch system: see hub/deploy/cluster.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from autograder.errors import PlatformError
from hub import certificates

START_SECONDS = 120.0
LOOK_SECONDS = 0.2
GRACE_SECONDS = 20.0


class Cluster:
    """One scheduler and ``workers`` workers; a context manager."""

    def __init__(self, folder: Path, *, workers: int, threads: int, host: str, port: int) -> None:
        """``folder``: of the certificates, made where there are none. ``threads``: submissions a worker."""
        certificates.make(folder)
        self.folder = folder.resolve()
        self.host, self.port = host, port
        self.address = f"tls://{host}:{port}"
        self.scratch = tempfile.TemporaryDirectory(prefix="mlsys-cluster-")
        both = ["--host", host, "--no-dashboard", *self.tls()]
        scheduler = [*dask("scheduler"), "--protocol", "tls", "--port", str(port), *both]
        own = ["--nthreads", str(threads), "--memory-limit", "0", "--no-nanny"]
        worker = [*dask("worker"), self.address, *own, *both]
        self.commands = {"scheduler": scheduler}
        for number in range(1, workers + 1):
            self.commands[f"worker {number}"] = worker
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def tls(self) -> list[str]:
        files = {"--tls-ca-file": "ca.pem", "--tls-cert": "server.pem", "--tls-key": "server.key"}
        return [word for flag, name in files.items() for word in (flag, str(self.folder / name))]

    def start(self) -> None:
        """Raises PlatformError where the scheduler doesn't come up."""
        for name in self.commands:
            self._start(name)
            if name == "scheduler":
                self._wait_for_scheduler()

    def keep(self, stop: threading.Event, say: Callable[[str], None]) -> None:
        """Starts again what dies, until ``stop`` is set."""
        while not stop.wait(LOOK_SECONDS):
            for name, process in self.processes.items():
                if process.poll() is not None:
                    say(f"{name} ended ({process.returncode}) and is started again")
                    self._start(name)

    def close(self) -> None:
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.scratch.cleanup()

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self, name: str) -> None:
        with (Path(self.scratch.name) / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603 - our own words
                self.commands[name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "DASK_TEMPORARY_DIRECTORY": self.scratch.name},
            )

    def _wait_for_scheduler(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.processes["scheduler"].poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection((self.host, self.port), timeout=1).close()
                return
            time.sleep(LOOK_SECONDS)
        words = (Path(self.scratch.name) / "scheduler.log").read_text(errors="replace").strip()
        raise PlatformError(f"no scheduler at {self.address}: {words[-500:] or 'it said nothing'}")


def dask(part: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler" if part == "scheduler" else "distributed.cli.dask_worker",
    ]


__all__ = ["Cluster", "PlatformError"]
