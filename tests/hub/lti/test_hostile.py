"""A platform that lies, floods, stalls and points elsewhere: an error in words, nothing sent to anybody else."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from autograder.errors import PlatformError
from hub.lti.addresses import host_of
from hub.lti.wire import Pace, Stopped, Unreachable, Wire
from tests.hub.lti.faults import Fault, Kind, on
from tests.hub.lti.room import FIRST, ONCE, Room

SHORT = Pace(connect=1, silence=0.3, whole=0.5, first_wait=0.01, longest_wait=0.02, tries=2)
DEEP = b"[" * 100_000


class Stranger:
    """Another server, which must hear nothing."""

    def __init__(self) -> None:
        heard: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.append(f"{self.command} {self.path} {self.headers}")
                self.send_response(200)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *words: object) -> None:
                pass

        self.heard = heard
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    made = Stranger()
    made.thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()
    assert made.heard == []


def answer(body: Any = None, *, raw: bytes = b"", status: int = 200, **headers: str) -> Fault:
    data = raw or json.dumps(body).encode()
    return Fault(
        Kind.ANSWER, status, {name.replace("_", "-"): value for name, value in headers.items()}, data
    )


SERVICES = ["/token", "/lineitems", "/memberships", "/results"]
GARBAGE = {
    "nothing": answer(raw=b" "),
    "html": answer(raw=b"<html>Log in</html>"),
    "latin-1": answer(raw=b'{"members": "\xff"}'),
    "another type": answer("text"),
    "a number": answer(7),
    "null": answer(None),
    "deep": answer(raw=DEEP),
    "NaN": answer(raw=b'[{"id": "x", "scoreMaximum": NaN, "userId": "1000", "resultScore": NaN}]'),
    "a key twice": answer(raw=b'{"members": [], "members": []}'),
    "other content": answer([{"x": 1}]),
    "other object": answer({"x": 1}),
    "packed": answer([], Content_Encoding="gzip"),
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_an_error_and_nothing_is_sent(room: Room, service: str, kind: str) -> None:
    room.push(room.grades(1))
    before = len(room.platform.scores())
    room.platform.breaks(on(service, GARBAGE[kind]))
    with pytest.raises(PlatformError) as raised:
        room.push(room.grades(2, 3))
    assert len(str(raised.value)) < 500
    assert len(room.platform.scores()) == before


@pytest.mark.parametrize("service", SERVICES)
def test_an_endless_answer_ends(room: Room, service: str) -> None:
    room.push(room.grades(1))
    room.platform.breaks(on(service, Fault(Kind.ENDLESS)))
    with pytest.raises(PlatformError, match="larger than"):
        room.push(room.grades(2))


@pytest.mark.parametrize("service", SERVICES)
def test_silence_ends(room: Room, service: str) -> None:
    room.push(room.grades(1))
    room.platform.breaks(on(service, Fault(Kind.SILENT)))
    with pytest.raises(PlatformError, match="doesn't answer"):
        room.push(room.grades(2), pace=SHORT)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("service", [*SERVICES, "/scores"])
def test_a_redirect_is_not_followed(room: Room, stranger: Stranger, service: str, status: int) -> None:
    room.push(room.grades(1))
    room.platform.breaks(on(service, answer([], status=status, Location=f"{stranger.url}/x")))
    try:
        assert "points elsewhere" in str(room.push(room.grades(2), pace=ONCE).broken)
    except PlatformError as error:
        assert "points elsewhere" in str(error)


def test_pages_elsewhere_are_not_followed(room: Room, stranger: Stranger) -> None:
    room.push(room.grades(1))
    for service in SERVICES[1:]:
        body: Any = {"members": []} if service == "/memberships" else []
        for link in (
            f"<{stranger.url}/p>; rel=next",
            "<//else.test/p>; rel=next",
            "<file:///etc/passwd>; rel=next",
        ):
            room.platform.breaks(on(service, answer(body, Link=link)))
            with pytest.raises(PlatformError, match=r"registered|address"):
                room.push(room.grades(2))


def test_pages_without_end_are_an_error(room: Room) -> None:
    same = f"<{room.platform.memberships}>; rel=next"
    room.platform.breaks(on("/memberships", answer({"members": []}, Link=same)))
    with pytest.raises(PlatformError, match="never end"):
        room.push(room.grades(2))
    count = iter(range(10_000))

    def rule(number: int, method: str, path: str) -> Fault | None:
        link = f"<{room.platform.memberships}?page={next(count)}>; rel=next"
        return answer({"members": []}, Link=link) if path.endswith("/memberships") else None

    room.platform.breaks(rule)
    with pytest.raises(PlatformError, match="never end"):
        room.push(room.grades(2))


@pytest.mark.parametrize(
    "link", ["rel=next", "<a b>; rel=next", "<https://x", '<x>; rel="next" nonsense <', "x" * 9000]
)
def test_a_link_header_that_cannot_be_read_is_an_error(room: Room, link: str) -> None:
    """Half a roster must not pass for a whole one."""
    room.platform.breaks(on("/memberships", answer({"members": []}, Link=link)))
    with pytest.raises(PlatformError, match="Link header"):
        room.push(room.grades(2))


@pytest.mark.parametrize(
    "url",
    [
        "{stranger}/lineitem",
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1.else.test/x",
        "http://user:word@127.0.0.1/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1/x",
        "http://127.0.0.1:{port}@else.test/x",
        "//127.0.0.1/x",
        "http://127.0.0.1:{port}\\@else.test/x",
        "http://127.0.0.1:0/x",
        "http://127.0.0.1:{port}/x#fragment",
        "http://127.0.0.1:99999/x",
    ],
)
@pytest.mark.parametrize("made", [False, True])
def test_a_column_elsewhere_gets_no_score(room: Room, stranger: Stranger, url: str, made: bool) -> None:
    item = {
        "id": url.format(stranger=stranger.url, port=room.platform.port),
        "label": "Layers",
        "scoreMaximum": 10,
        "resourceId": FIRST,
    }
    fault = answer(item, status=201) if made else answer([item])
    room.platform.breaks(on("/lineitems", fault, "POST" if made else "GET"))
    with pytest.raises(PlatformError, match=r"registered|address"):
        room.push(room.grades(2))
    assert not room.platform.scores()


@pytest.mark.parametrize(
    "item",
    [
        {"id": "", "scoreMaximum": 1},
        {"id": "a\0b", "scoreMaximum": 1},
        {"id": "\ud800", "scoreMaximum": 1},
        {"id": "x" * 5000, "scoreMaximum": 1},
        {"id": "x"},
        {"id": "x", "scoreMaximum": "10"},
        {"id": "x", "scoreMaximum": 0},
        {"id": "x", "scoreMaximum": -5},
        {"id": "x", "scoreMaximum": True},
        {"id": ["x"], "scoreMaximum": 1},
    ],
)
def test_a_column_that_is_none_is_an_error(room: Room, item: dict[str, Any]) -> None:
    room.platform.breaks(on("/lineitems", answer([item])))
    with pytest.raises(PlatformError, match="columns"):
        room.push(room.grades(2))


@pytest.mark.parametrize(
    "token",
    [
        {},
        {"access_token": "", "token_type": "bearer"},
        {"access_token": "a b", "token_type": "bearer"},
        {"access_token": "a\r\nX-Evil: 1", "token_type": "bearer"},
        {"access_token": "ü", "token_type": "bearer"},
        {"access_token": "a" * 9000, "token_type": "bearer"},
        {"access_token": ["a"], "token_type": "bearer"},
        {"access_token": "abc", "token_type": "mac"},
        {"access_token": "abc"},
    ],
)
def test_a_token_that_is_none_is_an_error(room: Room, token: dict[str, Any]) -> None:
    room.platform.breaks(on("/token", answer(token)))
    with pytest.raises(PlatformError, match="token"):
        room.push(room.grades(2))


@pytest.mark.parametrize("seconds", [None, "3600", 0, -5, 10**30, 1.5, True])
def test_a_token_lives_a_sane_time_whatever_it_says(room: Room, seconds: object) -> None:
    """The platform's own tokens; what it says of their time is odd."""
    room.push(room.grades(1))
    (token,) = room.platform.tokens
    body = {"access_token": token, "token_type": "BEARER", "expires_in": seconds}
    room.platform.breaks(on("/token", answer(body)))
    assert not room.push(room.grades(2)).failed


def test_a_refused_tool_is_told_what_to_look_at(room: Room) -> None:
    room.platform.tool_keys = lambda: {"keys": []}
    with pytest.raises(PlatformError, match=r"invalid_client.*mlsys lti keys"):
        room.push(room.grades(1))


def test_a_packed_bomb_is_not_unpacked(room: Room) -> None:
    room.platform.breaks(
        on("/memberships", answer(raw=b"\x1f\x8b" + b"0" * 1000, Content_Encoding="br, gzip"))
    )
    with pytest.raises(PlatformError, match="packed"):
        room.push(room.grades(1))


def test_names_and_ids_in_errors_have_no_control_signs(room: Room) -> None:
    items = [
        {
            "id": room.platform.url + f"/{n}",
            "label": "\x1b[31mred\x1b]0;x\x07",
            "scoreMaximum": 1,
            "resourceId": FIRST,
        }
        for n in range(2)
    ]
    room.platform.breaks(on("/lineitems", answer(items)))
    with pytest.raises(Exception, match="several columns") as raised:
        room.push(room.grades(1))
    assert str(raised.value).isprintable()


class Drip:
    """Sends a letter every tenth of a second, of the head or of the body, until it is cut off."""

    def __init__(self, start: bytes) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}/token"
        self.cut = threading.Event()
        self.thread = threading.Thread(target=self._drip, args=(start,), daemon=True)
        self.thread.start()

    def _drip(self, start: bytes) -> None:
        connection, _ = self.server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(start)
            try:
                while True:
                    connection.sendall(b"x")
                    if connection in select.select([connection], [], [], 0.05)[0] and not connection.recv(
                        65536
                    ):
                        break
            except OSError:
                pass
            self.cut.set()


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["head", "body"],
)
def test_an_answer_that_drips_is_cut_off(start: bytes) -> None:
    drip = Drip(start)
    pace = Pace(connect=5, silence=30, whole=0.3, tries=1)
    with Wire((host_of(drip.url),), pace=pace) as wire, pytest.raises(Unreachable):
        wire.send("GET", drip.url, {}, what="dripping")
    assert drip.cut.wait(30)
    drip.thread.join()
    drip.server.close()


def test_a_stop_ends_a_wait(room: Room) -> None:
    stop = threading.Event()

    def rule(count: int, method: str, path: str) -> Fault | None:
        stop.set()
        return answer([], status=503, Retry_After="3600")

    room.platform.breaks(rule)
    patient = Pace(first_wait=3600, longest_wait=7200)
    with pytest.raises(Stopped):
        room.push(room.grades(1), pace=patient, stop=stop)
