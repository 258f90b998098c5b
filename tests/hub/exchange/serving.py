"""The real service process, and a stand-in for the hub's API that answers who has which token."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from hub.configure import free_port

ROOT = Path(__file__).parents[3]
PREFIX = "/services/course/"
ACCESS = "access:services!service=course"
START_SECONDS = 240.0
COURSE = """\
id = "mls"
title = "Systems"
timezone = "UTC"
[paths]
assignments = "."
solutions = "."
[limits]
cell_seconds = 30
notebook_seconds = 300
check_seconds = 20
cpu_seconds = 300
memory_mb = 1024
processes = 128
file_mb = 64
output_kb = 1024
tmp_mb = 64
[late]
grace_minutes = 15
percent_per_day = 10
cutoff_days = 5
[attempts]
most = 20
counts = "last"
[[assignments]]
id = "01-layers"
chapter = "one"
weight = 1
release = 2020-01-01T09:00:00
due = 2099-01-01T18:00:00
[[assignments]]
id = "02-kernels"
chapter = "one"
weight = 1
release = 2020-01-01T09:00:00
due = 2020-02-01T18:00:00
[[assignments]]
id = "03-future"
chapter = "one"
weight = 1
release = 2098-01-01T09:00:00
due = 2099-01-01T18:00:00
[[parts]]
title = "Foundations"
chapters = [{ id = "one", title = "One" }]
"""


@dataclass
class Hub:
    """Answers ``GET /hub/api/user`` as JupyterHub does, and the end of an OAuth login."""

    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hub/api"

    def token(self, name: str, *scopes: str, kind: str = "user") -> str:
        """A new token of somebody's; of their server's kind unless scopes are given."""
        token = secrets.token_hex(16)
        self.tokens[token] = {"kind": kind, "name": name, "scopes": list(scopes or (ACCESS,))}
        return token

    def code(self, name: str) -> str:
        """What a browser brings back from the hub's login page."""
        code = secrets.token_hex(16)
        self.codes[code] = self.token(name)
        return code

    def _handler(hub) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.asked += 1
                token = self.headers.get("Authorization", "").removeprefix("token ")
                known = hub.tokens.get(token)
                self._say(200 if known else 403, known or {"status": 403, "message": "Forbidden"})

            def do_POST(self) -> None:
                asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                token = hub.codes.pop(asked["code"][0], None)
                is_ours = asked["client_secret"] == ["service-token"] and "code_verifier" in asked
                if token is None or not is_ours:
                    self._say(400, {"error": "invalid_grant"})
                else:
                    self._say(200, {"access_token": token, "token_type": "Bearer"})

            def _say(self, status: int, answer: dict[str, Any]) -> None:
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *words: object) -> None:
                pass

        return Handler


class Service:
    """The course service as JupyterHub starts it, supervisor and all, on the loopback."""

    def __init__(self, folder: Path, hub: Hub, **settings: str) -> None:
        self.folder = folder
        self.course_dir = folder / "course"
        self.course_dir.mkdir(exist_ok=True)
        self.course_file = folder / "course.toml"
        self.course_file.write_text(COURSE)
        self.port = free_port()
        self.environment = {
            **os.environ,
            "JUPYTERHUB_API_TOKEN": "service-token",
            "JUPYTERHUB_API_URL": hub.api,
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_CLIENT_ID": "service-course",
            "JUPYTERHUB_SERVICE_NAME": "course",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{self.port}",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps(["access:services", ACCESS]),
            "MLSYS_COURSE": str(self.course_file),
            "MLSYS_COURSE_DIR": str(self.course_dir),
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """``MLSYS_COURSE_URL``."""
        return f"http://127.0.0.1:{self.port}{PREFIX.rstrip('/')}"

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def start(self) -> None:
        """Returns when it answers."""
        with (self.folder / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub.supervisor"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        if not self.answers():
            self.end()
            raise AssertionError((self.folder / "service.log").read_text())

    def answers(self) -> bool:
        """Whether it does so in time."""
        assert self.process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", timeout=5).status_code == 200:
                    return True
            except httpx.TransportError:
                time.sleep(0.05)
        return False

    def kill(self) -> None:
        """`kill -9` of the process that serves; its supervisor starts another."""
        assert self.process is not None
        own = self.process.pid
        serving = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        os.kill(int(serving[0]), signal.SIGKILL)

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)

    def client(self, token: str | None = None) -> httpx.Client:
        """Speaks to the API with a token; to the whole service without one."""
        headers = {"Authorization": f"token {token}"} if token is not None else {}
        base = self.url + ("/api/v1" if token is not None else "")
        return httpx.Client(base_url=base, headers=headers, timeout=30, trust_env=False)


def path_of(url: str) -> str:
    """A URL's path and query."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
