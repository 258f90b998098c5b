"""The gate before a user's server, asked with raw sockets; behind it a box that does what a test says."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from hub.spawner import relay
from hub.spawner.gate import COOKIE, SESSION, Gate, arrival, is_below, pass_of, server_key
from hub.spawner.relay import MOST_HEAD_BYTES, relaying

SECRET = b"the hub's secret"
KEY = server_key(SECRET, "ada")
GATE = Gate(KEY.hex(), "/user/ada/", "/hub/own", "ada", version="6.1.1")
SESSION_ID, OTHER_SESSION = "5" * 32, "6" * 32
SECONDS = 30
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nService-Worker-Allowed: /\r\n\r\nhello"
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def in_an_hour() -> float:
    return time.time() + 3600


def cookies(value: str, session: str = SESSION_ID) -> str:
    return f"{SESSION}={session}; {COOKIE}={value}"


def own() -> dict[str, str]:
    return {"Cookie": cookies(pass_of(KEY, SESSION_ID, in_an_hour()))}


@dataclass
class Box:
    """A server in place of a box. ``heard``: what came in on each connection, as it came."""

    behave: Callable[[socket.socket], None]
    heard: list[bytes] = field(default_factory=list)


@dataclass
class Entrance:
    """The keeper's port, and the box behind it."""

    port: int
    box: Box

    def send(self, data: bytes) -> bytes:
        """All that comes back until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as wire:
            wire.sendall(data)
            return until_end(wire)

    def ask(self, target: str, headers: dict[str, str] | None = None, method: str = "GET") -> bytes:
        return self.send(request(target, headers, method))


def request(target: str, headers: dict[str, str] | None = None, method: str = "GET") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: hub", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode()


def until_end(wire: socket.socket) -> bytes:
    parts = []
    try:
        while part := wire.recv(1 << 16):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def status(answer: bytes) -> int:
    return int(answer.split()[1]) if answer else 0


def location(answer: bytes) -> str:
    return answer.partition(b"Location: ")[2].partition(b"\r\n")[0].decode()


@contextmanager
def entrance_to(behave: Callable[[Box, socket.socket], None]) -> Iterator[Entrance]:
    with socket.create_server(("127.0.0.1", 0)) as inner:
        box = Box(lambda wire: behave(box, wire))
        threading.Thread(target=_serve, args=(inner, box), daemon=True).start()
        loop = asyncio.new_event_loop()
        inner_port = inner.getsockname()[1]
        handler = relaying(GATE, lambda: asyncio.open_connection("127.0.0.1", inner_port), 8)
        server = loop.run_until_complete(asyncio.start_server(handler, "127.0.0.1", 0))
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield Entrance(server.sockets[0].getsockname()[1], box)
        finally:
            asyncio.run_coroutine_threadsafe(_end(server), loop).result(SECONDS)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
            inner.shutdown(socket.SHUT_RDWR)


async def _end(server: asyncio.Server) -> None:
    server.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _serve(inner: socket.socket, box: Box) -> None:
    while True:
        try:
            wire, _ = inner.accept()
        except OSError:
            return
        threading.Thread(target=box.behave, args=(wire,), daemon=True).start()


def head_of(wire: socket.socket) -> bytes:
    heard = b""
    while b"\r\n\r\n" not in heard and (part := wire.recv(1 << 16)):
        heard += part
    return heard


def says_hello(box: Box, wire: socket.socket) -> None:
    """Answers, and hears everything until the keeper closes."""
    with wire:
        heard = head_of(wire)
        wire.sendall(HELLO)
        box.heard.append(heard + until_end(wire))


@pytest.fixture
def entrance() -> Iterator[Entrance]:
    with entrance_to(says_hello) as made:
        yield made


def heard(entrance: Entrance) -> bytes:
    """What the box was sent, once the keeper has let go of it."""
    deadline = time.monotonic() + SECONDS
    while not entrance.box.heard:
        assert time.monotonic() < deadline, "the box heard nothing"
        time.sleep(0.01)
    return entrance.box.heard[0]


def test_the_pass_of_this_server_and_session_opens_it(entrance: Entrance) -> None:
    answer = entrance.ask("/user/ada/lab", own())
    assert status(answer) == 200 and answer.endswith(b"\r\n\r\nhello")
    assert heard(entrance).startswith(b"GET /user/ada/lab HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x=1",
        cookies(""),
        cookies("rubbish"),
        cookies(f"{int(in_an_hour())}.{'0' * 64}"),
        cookies(pass_of(KEY, SESSION_ID, time.time() - 1)),
        cookies(pass_of(server_key(SECRET, "mallory"), SESSION_ID, in_an_hour())),
        cookies(pass_of(server_key(b"another hub", "ada"), SESSION_ID, in_an_hour())),
        cookies(pass_of(KEY, SESSION_ID, in_an_hour()), OTHER_SESSION),
        f"{COOKIE}={pass_of(KEY, '', in_an_hour())}",
        f"{SESSION}={OTHER_SESSION}; {cookies(pass_of(KEY, SESSION_ID, in_an_hour()))}",
        f"{COOKIE}=x; {cookies(pass_of(KEY, SESSION_ID, in_an_hour()))}",
        cookies(pass_of(KEY, SESSION_ID, in_an_hour()).replace(".", ".0", 1)),
        cookies(pass_of(KEY, SESSION_ID, in_an_hour()).upper()),
    ],
    ids=(
        "none,another cookie,empty,rubbish,zeros,over,another server's,another hub's,another session's,of no session,"
        "two sessions,two passes,another time,capitals"
    ).split(","),
)
def test_any_other_cookie_opens_nothing(entrance: Entrance, cookie: str) -> None:
    headers = {"Cookie": cookie} if cookie else {}
    assert status(entrance.ask("/user/ada/api/contents", headers, "POST")) == 403
    page = entrance.ask("/user/ada/lab?reset", headers | NAVIGATION)
    assert (status(page), location(page)) == (302, "/hub/own?next=%2Fuser%2Fada%2Flab%3Freset")
    back = entrance.ask(arrival("/user/ada/", "/user/ada/lab"), headers | NAVIGATION)
    assert status(back) == 403 and b"Allow cookies" in back
    assert entrance.box.heard == []


def test_a_cookie_header_that_is_there_twice_is_one(entrance: Entrance) -> None:
    one, two = cookies(pass_of(KEY, SESSION_ID, in_an_hour())).split("; ")
    asked = f"GET /user/ada/lab HTTP/1.1\r\nHost: hub\r\nCookie: {one}\r\nCookie: {two}\r\n"
    assert status(entrance.send(f"{asked}\r\n".encode())) == 200
    assert status(entrance.send(f"{asked}Cookie: {two}\r\nSec-Fetch-Mode: cors\r\n\r\n".encode())) == 403


def test_the_way_back_from_the_hub_leads_below_the_server(entrance: Entrance) -> None:
    for wanted in ("/user/ada/lab?a=1&b=/", "/user/ada/"):
        assert location(entrance.ask(arrival("/user/ada/", wanted), own())) == wanted
    for wanted in ("", "//evil", "https://evil/user/ada/", "/user/ada/../mallory/x", "/user/ada/%2e%2e/x"):
        assert location(entrance.ask(arrival("/user/ada/", wanted), own())) == "/user/ada/"
    assert entrance.box.heard == []


@pytest.mark.parametrize(
    "target", ["/user/adam/", "/user/ada", "/user/ada/\\evil", "/user/ada/..", "/user/ada/a b", "//user/ada/"]
)
def test_what_is_not_below_a_server(target: str) -> None:
    assert is_below("/user/ada/lab", "/user/ada/")
    assert not is_below(target, "/user/ada/")


def test_the_box_gets_neither_the_pass_nor_cookies_of_others(entrance: Entrance) -> None:
    more = "_xsrf=1; jupyterhub-user-ada=2; jupyterhub-user-ada-oauth-state=3; theme=4"
    foreign = "jupyterhub-hub-login=5; jupyterhub-user-adam=6; jupyterhub-services-course=7"
    entrance.ask("/user/ada/lab", {"Cookie": f"{own()['Cookie']}; {more}; {foreign}"})
    sent = next(line for line in heard(entrance).split(b"\r\n") if line.lower().startswith(b"cookie:"))
    assert sent.decode().partition(": ")[2] == f"{SESSION}={SESSION_ID}; {more}"


def test_a_token_opens_it_without_cookies_and_for_an_answer_that_cant_act(entrance: Entrance) -> None:
    answer = entrance.ask("/user/ada/api", {"Authorization": "token abc", "Cookie": "_xsrf=1"}, "POST")
    assert status(answer) == 200 and b"default-src 'none'; sandbox" in answer
    assert b"Authorization: token abc" in heard(entrance) and b"ookie" not in heard(entrance)


@pytest.mark.parametrize("value", ["Basic YTpi", "token", "Negotiate x", ""])
def test_what_a_browser_can_send_by_itself_is_no_token(entrance: Entrance, value: str) -> None:
    assert status(entrance.ask("/user/ada/lab", {"Authorization": value, "Sec-Fetch-Mode": "cors"})) == 403
    assert status(entrance.ask("/user/ada/lab?token=abc", NAVIGATION)) == 302
    assert entrance.box.heard == []


def test_the_hub_learns_that_the_server_is_up_and_a_browser_nothing(entrance: Entrance) -> None:
    answer = entrance.ask("/user/ada/api")
    assert status(answer) == 200 and b"X-JupyterHub-Version: 6.1.1" in answer
    assert b"hello" not in answer and b"Content-Length: 0" in answer
    assert heard(entrance).startswith(b"GET /user/ada/api HTTP/1.1\r\n")


def test_the_hub_waits_while_the_server_is_not_up() -> None:
    def closes(box: Box, wire: socket.socket) -> None:
        wire.close()

    with entrance_to(closes) as entrance:
        assert status(entrance.ask("/user/ada/api")) == 503


def test_no_service_worker_is_handed_out(entrance: Entrance) -> None:
    assert status(entrance.ask("/user/ada/sw.js", own() | {"Service-Worker": "script"})) == 403
    assert b"ervice-" not in entrance.ask("/user/ada/lab", own())


def test_a_second_request_on_the_connection_goes_nowhere(entrance: Entrance) -> None:
    second = request("/user/ada/second", own())
    body = {"Content-Length": "4"}
    answer = entrance.send(request("/user/ada/first", own() | body, "POST") + b"body" + second + second)
    assert answer.count(b"HTTP/1.1") == 1 and b"Connection: close" in answer
    assert heard(entrance).endswith(b"\r\n\r\nbody")


def test_a_request_without_a_pass_is_not_carried_by_one_before_or_after_it(entrance: Entrance) -> None:
    answer = entrance.send(request("/user/ada/x", {"Sec-Fetch-Mode": "cors"}) + request("/user/ada/y", own()))
    assert status(answer) == 403 and answer.count(b"HTTP/1.1") == 1
    assert entrance.box.heard == []


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: +4",
        "Content-Length: 4, 5",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Host: other",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 4",
        "Bad Header: x",
        "X: a\rCookie: b",
    ],
)
def test_a_head_that_two_may_read_differently_is_refused(entrance: Entrance, lines: str) -> None:
    head = f"POST /user/ada/x HTTP/1.1\r\nHost: hub\r\nCookie: {own()['Cookie']}\r\n{lines}\r\n\r\n"
    answer = entrance.send(head.encode() + b"0\r\n\r\nGET /user/ada/smuggled HTTP/1.1\r\nHost: hub\r\n\r\n")
    assert status(answer) in (400, 501)
    assert entrance.box.heard == []


@pytest.mark.parametrize(
    "line",
    [
        "GET http://hub/user/ada/lab HTTP/1.1",
        "CONNECT hub:80 HTTP/1.1",
        "CONNECT /user/ada/ HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET user/ada/lab HTTP/1.1",
        "GET /user/ada/l\x00ab HTTP/1.1",
        "GET /user/ada/lab HTTP/2.0",
        "GET  /user/ada/lab HTTP/1.1",
        "\x16\x03\x01",
    ],
)
def test_only_plain_targets_of_http_1_are_understood(entrance: Entrance, line: str) -> None:
    answer = entrance.send(f"{line}\r\nHost: hub\r\nCookie: {own()['Cookie']}\r\n\r\n".encode())
    assert status(answer) == 400
    assert entrance.box.heard == []


def test_http_1_0_gets_an_answer_that_ends_with_the_connection(entrance: Entrance) -> None:
    head = f"GET /user/ada/lab HTTP/1.0\r\nHost: hub\r\nCookie: {own()['Cookie']}\r\n"
    assert entrance.send(f"{head}\r\n".encode()).endswith(b"hello")
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert status(entrance.send(chunked.encode())) == 400


def test_a_head_that_is_too_long_is_refused(entrance: Entrance) -> None:
    answer = entrance.ask("/user/ada/lab", own() | {"X": "x" * (2 * MOST_HEAD_BYTES)})
    assert status(answer) in (0, 431)  # a reset may overtake the words
    assert entrance.box.heard == []


def test_a_head_that_never_ends_is_cut_off(entrance: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "HEAD_SECONDS", 0.2)
    assert entrance.send(b"GET /user/ada/lab HTTP/1.1\r\nHost: hub\r\n") == b""
    assert entrance.box.heard == []


def test_a_long_upload_that_is_refused_hears_why(entrance: Entrance) -> None:
    body = b"x" * 5_000_000
    answer = entrance.send(request("/user/ada/x", {"Content-Length": str(len(body))}, "PUT") + body)
    assert status(answer) == 403


def test_large_bodies_flow_both_ways() -> None:
    size = 20_000_000

    def echoes(box: Box, wire: socket.socket) -> None:
        with wire:
            rest = head_of(wire).partition(b"\r\n\r\n")[2]
            wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            count = 0
            while count < size:
                if rest:
                    count += len(rest)
                    wire.sendall(b"%x\r\n%s\r\n" % (len(rest), rest))
                rest = wire.recv(1 << 16) if count < size else b""
            wire.sendall(b"0\r\n\r\n")

    with (
        entrance_to(echoes) as entrance,
        socket.create_connection(("127.0.0.1", entrance.port), SECONDS) as wire,
    ):
        got: list[bytes] = []
        reading = threading.Thread(target=lambda: got.append(until_end(wire)))
        reading.start()
        wire.sendall(request("/user/ada/x", own() | {"Content-Length": str(size)}, "POST") + b"y" * size)
        reading.join(SECONDS)
    assert got[0].count(b"y") == size and got[0].endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nraw",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut short",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ],
)
def test_a_broken_answer_breaks_the_connection(said: bytes) -> None:
    def breaks(box: Box, wire: socket.socket) -> None:
        with wire:
            head_of(wire)
            wire.sendall(said)

    with entrance_to(breaks) as entrance:
        answer = entrance.ask("/user/ada/lab", own())
    assert b"raw" not in answer and not answer.endswith(b"0\r\n\r\n")


def test_an_answer_without_length_ends_with_the_box() -> None:
    def old(box: Box, wire: socket.socket) -> None:
        with wire:
            head_of(wire)
            wire.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold")

    with entrance_to(old) as entrance:
        answer = entrance.ask("/user/ada/lab", own())
    assert answer.endswith(b"3\r\nold\r\n0\r\n\r\n")


def test_a_browser_that_leaves_is_noticed_by_the_box() -> None:
    left = threading.Event()

    def waits(box: Box, wire: socket.socket) -> None:
        with wire:
            head_of(wire)
            wire.recv(1)
            left.set()

    with entrance_to(waits) as entrance:
        wire = socket.create_connection(("127.0.0.1", entrance.port), SECONDS)
        wire.sendall(request("/user/ada/events", own()))
        wire.close()
        assert left.wait(SECONDS)


UPGRADE = {"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "k"}


def talks(box: Box, wire: socket.socket) -> None:
    """A WebSocket as far as the way there: what it hears it says again."""
    with wire:
        box.heard.append(head_of(wire))
        wire.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n!"
        )
        while part := wire.recv(1 << 16):
            wire.sendall(part)


@pytest.mark.parametrize("pass_", [own(), {"Authorization": "Bearer abc"}])
def test_a_websocket_with_a_pass_talks_both_ways(pass_: dict[str, str]) -> None:
    with (
        entrance_to(talks) as entrance,
        socket.create_connection(("127.0.0.1", entrance.port), SECONDS) as wire,
    ):
        wire.sendall(request("/user/ada/api/kernels/1/channels", pass_ | UPGRADE) + b"\x81early")
        got = head_of(wire)
        while not got.endswith(b"!\x81early"):
            part = wire.recv(100)
            assert part, got
            got += part
        wire.sendall(b"more")
        assert wire.recv(4) == b"more"
        assert got.startswith(b"HTTP/1.1 101 ") and b"Upgrade: websocket" in got
    assert b"Upgrade: websocket" in heard(entrance) and b"Connection: Upgrade" in heard(entrance)


def test_a_websocket_without_a_pass_is_refused(entrance: Entrance) -> None:
    answer = entrance.ask("/user/ada/api/kernels/1/channels", UPGRADE | {"Sec-Fetch-Mode": "websocket"})
    assert status(answer) == 403
    assert status(entrance.ask("/user/ada/api", UPGRADE)) == 403
    assert entrance.box.heard == []


def test_a_server_may_decline_a_websocket(entrance: Entrance) -> None:
    answer = entrance.send(request("/user/ada/x", own() | UPGRADE) + request("/user/ada/y", own()))
    assert status(answer) == 200 and answer.endswith(b"hello")
    assert b"/user/ada/y" not in heard(entrance)
