"""Where attacks on the hub happen: the real service, a victim, and mallory with raw sockets."""

from __future__ import annotations

import json
import runpy
import socket
import tomllib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hub.exchange.exchange import Exchange
from hub.exchange.records import Member
from tests.hub.exchange.course import notebook
from tests.hub.exchange.serving import Hub, Service

FOLDER = Path(__file__).parents[1] / "attacks" / "hub"
MALLORY = "mallory-"
OPEN = "01-layers"
SECRET = "the-victims-own-words"
SECONDS = 60
CHUNK = 2**18


@dataclass(frozen=True)
class HubAttack:
    """One file of tests/attacks/hub."""

    name: str
    answers: frozenset[int]
    run: Callable[[Place], None]


def hub_attacks() -> list[HubAttack]:
    return [read(path) for path in sorted(FOLDER.glob("*.py"))]


def read(path: Path) -> HubAttack:
    """Raises where the header is not complete."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [
        line[2:] for line in lines[: next(n for n, line in enumerate(lines) if not line.startswith("# "))]
    ]
    table = tomllib.loads("\n".join(head))
    assert set(table) == {"goal", "trick", "must", "answers"}, path
    return HubAttack(path.stem, frozenset(table["answers"]), runpy.run_path(str(path))["attack"])


@dataclass(frozen=True)
class Victim:
    """A student with a submission and feedback on it; both hold ``SECRET``."""

    name: str
    submission: int
    feedback: int


@dataclass
class Place:
    """What an attack is given. ``said``: every answer that mallory got."""

    service: Service
    hub: Hub
    exchange: Exchange
    victim: Victim
    said: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._names: list[str] = []
        self._clients: list[httpx.Client] = []
        self.rest()

    def rest(self) -> None:
        """Mallory under another name, whose allowance of submissions is full."""
        self.name = f"{MALLORY}{uuid.uuid4().hex[:8]}"
        self._names.append(self.name)
        self.exchange.enrol([Member(self.name)])
        self.token = self.hub.token(self.name)
        self.me = self.client(self.token)

    def close(self) -> None:
        for client in self._clients:
            client.close()

    @property
    def submissions_url(self) -> str:
        return f"/assignments/{OPEN}/submissions"

    def client(self, token: str) -> httpx.Client:
        """Speaks to the API; what it hears is kept."""
        client = self.service.client(token)
        self._clients.append(client)
        client.event_hooks = {"response": [self._heard]}
        return client

    def mine(self) -> list[dict[str, Any]]:
        """Mallory's submissions."""
        found = [each for name in self._names for each in self.exchange.submissions(name)]
        return [{"id": each.id, "number": each.number} for each in found]

    def submit(
        self, client: httpx.Client, text: str = "1", assignment: str = OPEN, **given: Any
    ) -> httpx.Response:
        client.cookies.update(given.pop("cookies", {}))
        files = [("file", ("layers.ipynb", notebook(text)))]
        return client.post(f"/assignments/{assignment}/submissions", files=files, **given)

    def submit_bytes(self, client: httpx.Client, data: bytes) -> httpx.Response:
        return client.post(self.submissions_url, files=[("file", ("layers.ipynb", data))], timeout=120)

    def multipart(self, files: Sequence[tuple[bytes, bytes]]) -> bytes:
        parts = [
            b'--edge\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n' + data
            for name, data in files
        ]
        return b"\r\n".join([*parts, b"--edge--\r\n"])

    def raw_get(self, path: str, headers: Sequence[tuple[str, str]]) -> bytes:
        lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *(f"{k}: {v}" for k, v in headers)]
        return self._raw("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass"))

    def raw_upload(
        self,
        files: Sequence[tuple[bytes, bytes]],
        length: int | str | None = None,
        extra: Sequence[tuple[str, str]] = (),
        *,
        then_close: bool = False,
    ) -> bytes:
        return self.raw_body(self.multipart(files), length, extra, then_close=then_close)

    def raw_body(
        self,
        body: bytes,
        length: int | str | None = None,
        extra: Sequence[tuple[str, str]] = (),
        *,
        then_close: bool = False,
    ) -> bytes:
        """The answer to an upload with these very bytes and this Content-Length."""
        head = self._head([("Content-Length", str(len(body) if length is None else length)), *extra])
        return self._raw(head + body, then_close=then_close)

    def raw_endless(self, most: int) -> int:
        """Sends chunks until the service has had enough; the number of bytes that went out."""
        start = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.ipynb"\r\n\r\n'
        chunk = b"%x\r\n" % CHUNK + b"0" * CHUNK + b"\r\n"
        sent = 0
        with self._connect() as wire:
            wire.sendall(self._head([("Transfer-Encoding", "chunked")]))
            wire.sendall(b"%x\r\n%s\r\n" % (len(start), start))
            try:
                while sent < most:
                    wire.sendall(chunk)
                    sent += len(chunk)
            except OSError:
                pass
            self._keep(received(wire))
        return sent

    def body(self, answer: bytes) -> Any:
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    def _head(self, headers: Sequence[tuple[str, str]]) -> bytes:
        lines = [
            f"POST /services/course/api/v1{self.submissions_url} HTTP/1.1",
            "Host: x",
            "Connection: close",
            f"Authorization: token {self.token}",
            "Content-Type: multipart/form-data; boundary=edge",
            *(f"{name}: {value}" for name, value in headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.service.port), SECONDS)

    def _raw(self, data: bytes, *, then_close: bool = False) -> bytes:
        with self._connect() as wire:
            try:
                wire.sendall(data)
                if then_close:
                    wire.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            answer = received(wire)
        self._keep(answer)
        return answer

    def _keep(self, answer: bytes) -> None:
        """A connection that just ends is an answer too, and says nothing."""
        if answer:
            self.said.append((int(answer.split()[1]), answer.decode("utf-8", "replace")))

    def _heard(self, response: httpx.Response) -> None:
        response.read()
        self.said.append((response.status_code, response.text))


def received(wire: socket.socket) -> bytes:
    parts = []
    try:
        while part := wire.recv(2**16):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts)
