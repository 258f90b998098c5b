"""Carries one request a connection from the proxy to a user's box, if the gate lets it in.

Contract: `relaying` makes the handler of the keeper's port. The head is read within ``HEAD_SECONDS`` and
``MOST_HEAD_BYTES``; body and answer flow through in pieces, however long they are and take. What follows
the request on its connection goes nowhere, unless box and proxy agree on a WebSocket.

Theory of operation. h11 parses and writes both sides, so that the box and the gate can't understand one
request differently: what the box gets was written here. Trusts neither side: a box that breaks HTTP, or
ends within an answer, breaks the connection to the proxy, which then shows the hub's page for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import h11

from hub.spawner.gate import SEALED, SWITCHING, Answer, Enter, Gate, Head, outward, ruling
from hub.spawner.inside import CHUNK_BYTES, Connect, Reader, Writer, pump

HEAD_SECONDS, PROBE_SECONDS, UPGRADE_SECONDS, LINGER_SECONDS = 20.0, 10.0, 60.0, 5.0
MOST_HEAD_BYTES = 1 << 16

Event: TypeAlias = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class Wire:
    """One side of the way: a stream, and what h11 knows of it."""

    def __init__(self, role: type[h11.CLIENT] | type[h11.SERVER], reader: Reader, writer: Writer) -> None:
        self.http = h11.Connection(role, MOST_HEAD_BYTES)
        self.reader, self.writer = reader, writer

    async def receive(self) -> Event:
        while (event := self.http.next_event()) is h11.NEED_DATA:
            self.http.receive_data(await self.reader.read(CHUNK_BYTES))
        return event

    async def send(self, event: h11.Event) -> None:
        if data := self.http.send(event):
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self, answer: Answer) -> None:
        """Ours, which no browser takes for a page."""
        words = f"{answer.words}\n".encode() if answer.words else b""
        headers = [
            *SEALED,
            *answer.headers,
            (b"Content-Type", b"text/plain; charset=utf-8"),
            (b"Content-Length", str(len(words)).encode()),
            (b"Connection", b"close"),
        ]
        await self.send(h11.Response(status_code=answer.status, headers=headers))
        await self.send(h11.Data(data=words))
        await self.send(h11.EndOfMessage())

    async def linger(self) -> None:
        """Lets an answer arrive that came before the request's end: a close would cut it off."""
        if self.http.their_state in (h11.SEND_BODY, h11.ERROR):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_SECONDS):
                    self.writer.write_eof()
                    while await self.reader.read(CHUNK_BYTES):
                        pass


def relaying(gate: Gate, connect: Connect, most: int) -> Callable[[Reader, Writer], Awaitable[None]]:
    """A handler of the proxy's connections, ``most`` of them at a time. ``connect`` opens the box."""
    places = asyncio.Semaphore(most)

    async def handle(reader: Reader, writer: Writer) -> None:
        async with places:
            near = Wire(h11.SERVER, reader, writer)
            try:
                await _serve(gate, near, connect)
                await near.linger()
            except (OSError, h11.ProtocolError, TimeoutError):
                # In the middle of an answer an orderly end could look like the answer's.
                writer.transport.abort()
            finally:
                writer.close()

    return handle


async def _serve(gate: Gate, near: Wire, connect: Connect) -> None:
    request = await _head(near)
    if request is None:
        return
    head = Head(
        request.method.decode(),
        request.target.decode("latin-1"),
        list(request.headers.raw_items()),
        request.http_version.decode(),
    )
    decided = ruling(gate, head, time.time())
    if isinstance(decided, Answer):
        await near.answer(decided)
        return
    if not isinstance(decided, Enter):
        await near.answer(await _probed(gate, connect))
        return
    reader, writer = await connect()
    far = Wire(h11.CLIENT, reader, writer)
    try:
        await far.send(h11.Request(method=head.method, target=head.target, headers=decided.headers))
        if head.is_upgrade:
            await _upgrade(near, far, decided.sealed)
        else:
            await _exchange(near, far, decided.sealed)
    finally:
        writer.close()


async def _head(near: Wire) -> h11.Request | None:
    """The request; None where there is none, or none that can be read, which is then answered."""
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            event = await near.receive()
    except h11.RemoteProtocolError as error:
        if near.http.our_state is h11.IDLE or near.http.our_state is h11.SEND_RESPONSE:
            await near.answer(Answer(error.error_status_hint, "This is not a request of HTTP/1.1."))
        return None
    return event if isinstance(event, h11.Request) else None


async def _probed(gate: Gate, connect: Connect) -> Answer:
    """Whether the server in the box answers. The hub waits where the status is 5xx."""
    headers = [(b"Host", b"127.0.0.1"), (b"Connection", b"close")]
    writer = None
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await connect()
            far = Wire(h11.CLIENT, reader, writer)
            await far.send(h11.Request(method="GET", target=f"{gate.prefix}api", headers=headers))
            await far.send(h11.EndOfMessage())
            said = await far.receive()
    except (OSError, h11.ProtocolError, TimeoutError):
        return Answer(503)
    finally:
        if writer is not None:
            writer.close()
    if isinstance(said, h11.Response) and said.status_code < 500:
        return Answer(200, headers=((b"X-JupyterHub-Version", gate.version.encode()),))
    return Answer(503)


async def _exchange(near: Wire, far: Wire, sealed: bool) -> None:
    """Request's body and answer, at the same time; over when the answer ends or the proxy leaves."""
    up = asyncio.create_task(_up(near, far))
    down = asyncio.create_task(_down(far, near, sealed))
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        if down.done():
            down.result()
        else:
            up.result()
            raise ConnectionResetError("the proxy has left")
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


async def _up(near: Wire, far: Wire) -> None:
    """The body. Returns when the proxy has left."""
    if near.http.they_are_waiting_for_100_continue:
        await near.send(h11.InformationalResponse(status_code=100, headers=[]))
    is_taken = True
    while isinstance(event := await near.receive(), h11.Data | h11.EndOfMessage):
        try:
            if is_taken:
                await far.send(h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event)
        except OSError:
            is_taken = False  # a server may answer before it has read all
        if isinstance(event, h11.EndOfMessage):
            break
    while await near.reader.read(CHUNK_BYTES):
        pass


async def _down(far: Wire, near: Wire, sealed: bool) -> None:
    """The answer, to its end."""
    while True:
        event = await far.receive()
        if isinstance(event, h11.Response):
            await near.send(_response(event, sealed))
        elif isinstance(event, h11.Data):
            await near.send(event)
        elif isinstance(event, h11.EndOfMessage):
            await near.send(h11.EndOfMessage())
            return
        elif not isinstance(event, h11.InformationalResponse):
            raise h11.RemoteProtocolError("the box ended without an answer")


async def _upgrade(near: Wire, far: Wire, sealed: bool) -> None:
    """A WebSocket, if the server agrees."""
    await near.receive()  # the end of the request, which has no body
    await far.send(h11.EndOfMessage())
    async with asyncio.timeout(UPGRADE_SECONDS):
        event = await far.receive()
    if not isinstance(event, h11.InformationalResponse) or event.status_code != 101:
        if isinstance(event, h11.Response):
            await near.send(_response(event, sealed))
        await _down(far, near, sealed)
        return
    headers = [*outward(event.headers.raw_items(), sealed=sealed), *SWITCHING]
    await near.send(h11.InformationalResponse(status_code=101, headers=headers))
    near.writer.write(far.http.trailing_data[0])
    far.writer.write(near.http.trailing_data[0])
    await asyncio.gather(pump(near.reader, far.writer), pump(far.reader, near.writer))


def _response(event: h11.Response, sealed: bool) -> h11.Response:
    headers = [*outward(event.headers.raw_items(), sealed=sealed), (b"Connection", b"close")]
    return h11.Response(status_code=event.status_code, headers=headers, reason=event.reason)
