"""The first program in a user's box: opens the two ways through its wall, then becomes the server.

Contract: started as ``python -I inside.py PLAN``; stdlib only. PLAN is JSON: ``entrance`` is the number
of a listening socket that was passed in; what arrives there goes to the server at ``server_port``.
``hub_port`` is where programs in the box find the hub; what they send there goes to ``door``, a unix
socket. ``argv`` is the server's command, ``folder`` where it starts, ``log`` the number of its log.

Theory of operation. The box has a network namespace of its own, so its ports are nobody else's: no
user can listen where another user, the hub or the course service is expected. A child forwards; this
process becomes the server, so that its end is the box's end.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TypeAlias

CHUNK_BYTES = 1 << 16
LOOPBACK = "127.0.0.1"

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Connect: TypeAlias = Callable[[], Awaitable[tuple[Reader, Writer]]]


async def pump(reader: Reader, writer: Writer) -> None:
    """Carries bytes one way until their end, which it passes on."""
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except (OSError, RuntimeError):
        writer.close()


def forwarding(connect: Connect, most: int) -> Callable[[Reader, Writer], Awaitable[None]]:
    """A handler that joins each caller to what ``connect`` opens, for ``most`` callers at a time."""
    places = asyncio.Semaphore(most)

    async def handle(reader: Reader, writer: Writer) -> None:
        async with places:
            try:
                far_reader, far_writer = await connect()
            except OSError:
                writer.close()
                return
            try:
                await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
            finally:
                far_writer.close()
                writer.close()

    return handle


async def forward(entrance: int, server_port: int, hub_port: int, door: str, most: int = 256) -> None:
    """Keeps both ways open until the process ends."""
    inward = await asyncio.start_unix_server(
        forwarding(lambda: asyncio.open_connection(LOOPBACK, server_port), most),
        sock=socket.socket(fileno=entrance),
    )
    outward = await asyncio.start_server(
        forwarding(lambda: asyncio.open_unix_connection(door), most), LOOPBACK, hub_port
    )
    async with inward, outward:
        await asyncio.gather(inward.serve_forever(), outward.serve_forever())


def main(plan: dict[str, object]) -> None:
    argv, folder, log = plan.pop("argv"), str(plan.pop("folder")), int(str(plan.pop("log")))
    if os.fork() == 0:
        os.close(log)
        asyncio.run(forward(**plan))  # type: ignore[arg-type]  # the keeper's own JSON
        os._exit(0)
    os.close(int(str(plan["entrance"])))
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(folder)
    command = [str(word) for word in argv]  # type: ignore[attr-defined]
    os.execv(command[0], command)  # noqa: S606 - the keeper's command, in the box


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
