"""A stand-in for a Jupyter server: runs in a user's box whatever a test sends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from autograder.sandbox import interpreter
from autograder.sandbox.policy import can_change_uid
from hub.settings import PACKAGES
from hub.spawner.gate import Gate
from hub.spawner.homes import home_of
from hub.spawner.keeper import Order
from hub.spawner.spawner import DEFAULT_SERVER_LIMITS

SHELL = """
import contextlib, http.server, io, traceback
class Shell(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        source = self.rfile.read(int(self.headers["Content-Length"])).decode()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                exec(source, {})
            except BaseException:
                traceback.print_exc(file=printed)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(printed.getvalue().encode())
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8888), Shell).serve_forever()
"""
LIMITS = replace(DEFAULT_SERVER_LIMITS, memory_mb=256, processes=32, tmp_mb=16)


class HubStandIn(BaseHTTPRequestHandler):
    """What the door leads to in these tests: says which path was asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"the hub was asked for {self.path}".encode())

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def hub_stand_in() -> Iterator[int]:
    """A server on a free port of the host's loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), HubStandIn) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class UserServer:
    """A user's box with the stand-in in it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def run(self, source: str) -> str:
        """What the source prints in the box, its traceback included."""
        transport = httpx.HTTPTransport(retries=5)
        with httpx.Client(transport=transport, timeout=30) as client:
            for _ in range(200):
                try:
                    # As a program does, which the gate lets through with any token.
                    return client.post(
                        f"http://127.0.0.1:{self.port}/",
                        content=source,
                        headers={"Authorization": "token x"},
                    ).text
                except (httpx.RemoteProtocolError, httpx.ReadError):
                    with suppress(subprocess.TimeoutExpired):
                        self.process.wait(0.2)
                        raise
        raise AssertionError("the server in the box never answered")


def order_for(state: Path, name: str, hub_port: int) -> Order:
    home = home_of(state / "homes", name, own_uid=can_change_uid())
    folder = state / name
    folder.mkdir(mode=0o711, exist_ok=True)
    return Order(
        name=name,
        argv=(interpreter().executable, "-c", SHELL),
        env={"HOME": f"/home/{name}"},
        binds=((str(home), f"/home/{name}", True),),
        limits=LIMITS,
        uid=home.stat().st_uid if can_change_uid() else None,
        home=f"/home/{name}",
        hub_port=hub_port,
        folder=str(folder),
        log=str(folder / "server.log"),
        gate=Gate("00" * 32, f"/user/{name}/", "/hub/own", name),
    )


@contextmanager
def user_server(order: Order) -> Iterator[UserServer]:
    """The box, kept by a real keeper process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hub.spawner.keeper"],
        cwd=PACKAGES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stdin is not None and process.stdout is not None
    with process:
        try:
            process.stdin.write(order.to_json())
            process.stdin.close()
            told = json.loads(process.stdout.readline())
            assert "error" not in told, told
            yield UserServer(process, told["port"])
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
