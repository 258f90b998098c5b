"""Keeps one user's server: opens its box, carries its traffic, ends it when told.

Contract: started as ``python -m hub.spawner.keeper`` with an `Order` as JSON on stdin, in a session of
its own, so that it outlives the hub. When the box runs it prints the port at which the server is
reached, as JSON, on stdout, or ``{"error": …}``. SIGTERM ends box and keeper; the box's end ends the keeper.

Theory of operation. The keeper listens on a port of the host's loopback for what the proxy sends, and
on a unix socket (the door) for what comes out of the box. The door leads to the hub's public address
and nowhere else. Users' boxes have no other way out, so they can't take the keeper's port either.

What the proxy sends passes a gate before it reaches the box. Servers share the hub's web origin, and a
student's server is whatever the student makes of it, so its pages may reach the student's own browser and
no other's: see `gate` for who passes, `relay` for how. The gate stands here, outside the box, where
the student has no say. Its key comes with the order and goes into no box.

Trusts the hub, and nothing that comes through the door, from the proxy or from the box.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.errors import GraderError
from autograder.files import write_whole
from autograder.sandbox import Bind, Limits, open_box
from autograder.sandbox.box import Box
from autograder.sandbox.python import interpreter
from autograder.sandbox.spec import BoxSpec
from hub.spawner.gate import Gate
from hub.spawner.inside import LOOPBACK, forwarding
from hub.spawner.processes import start_time
from hub.spawner.relay import relaying

INSIDE = "/opt/mlsys-door/inside.py"
DOOR = "/opt/mlsys-door/hub.sock"
NOTE = "keeper.json"
SERVER_PORT = 8888
MOST_CONNECTIONS = 256
GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Order:
    """What a server needs. ``binds``: (source, target, writable); ``hub_port``: the hub's public port
    on the host's loopback, and the box's. ``folder``: where the keeper may make its sockets. ``gate``
    holds a key: an order is passed on stdin and kept nowhere."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    binds: tuple[tuple[str, str, bool], ...]
    limits: Limits
    uid: int | None
    home: str
    hub_port: int
    folder: str
    log: str
    gate: Gate

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        read = json.loads(text)
        limits, gate = Limits(**read.pop("limits")), Gate(**read.pop("gate"))
        argv, binds = tuple(read.pop("argv")), tuple((s, t, bool(w)) for s, t, w in read.pop("binds"))
        return cls(argv=argv, binds=binds, limits=limits, gate=gate, **read)


def main() -> int:
    order = Order.from_json(sys.stdin.read())
    try:
        with _sockets(order) as (entrance, door, outer), _box(order, entrance) as box:
            entrance.close()
            asyncio.run(keep(order, box, door, outer))
    except (GraderError, OSError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 2
    return 0


async def keep(order: Order, box: Box, door: socket.socket, outer: socket.socket) -> None:
    """Carries traffic until the box ends or SIGTERM comes."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, over.set)
    loop.add_reader(box, over.set)
    inner = str(_entrance(order))
    inward = await asyncio.start_server(
        relaying(order.gate, lambda: asyncio.open_unix_connection(inner), MOST_CONNECTIONS), sock=outer
    )
    outward = await asyncio.start_unix_server(
        forwarding(lambda: asyncio.open_connection(LOOPBACK, order.hub_port), MOST_CONNECTIONS), sock=door
    )
    note = Path(order.folder) / NOTE
    async with inward, outward:
        write_whole(note, json.dumps([os.getpid(), start_time(os.getpid())]).encode())
        print(json.dumps({"port": outer.getsockname()[1]}), flush=True)
        await over.wait()
    loop.remove_reader(box)
    note.unlink(missing_ok=True)
    box.terminate(GRACE_SECONDS)


def _box(order: Order, entrance: socket.socket) -> Box:
    with open(order.log, "ab", opener=_private) as log:
        plan = {
            "entrance": entrance.fileno(),
            "server_port": SERVER_PORT,
            "hub_port": order.hub_port,
            "door": DOOR,
            "argv": order.argv,
            "folder": order.home,
            "log": log.fileno(),
        }
        spec = BoxSpec(
            argv=(interpreter().executable, "-I", INSIDE, json.dumps(plan)),
            limits=order.limits,
            binds=(
                Bind(Path(__file__).with_name("inside.py"), INSIDE),
                Bind(_door(order), DOOR),
                *(Bind(Path(source), target, writable) for source, target, writable in order.binds),
            ),
            env=order.env,
            pass_fds=(entrance.fileno(), log.fileno()),
            name=f"server of {order.name}",
            diagnose=True,
            loopback=True,
            uid=order.uid,
        )
        return open_box(spec)


@contextlib.contextmanager
def _sockets(order: Order) -> Iterator[tuple[socket.socket, socket.socket, socket.socket]]:
    """The box's entrance, its door and the port for the proxy, all listening."""
    Path(order.folder).mkdir(mode=0o711, parents=True, exist_ok=True)
    with (
        _listening(_entrance(order), 0o600) as entrance,
        _listening(_door(order), 0o666) as door,
        socket.create_server((LOOPBACK, 0)) as outer,
    ):
        yield entrance, door, outer


def _listening(path: Path, mode: int) -> socket.socket:
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    path.chmod(mode)
    made.listen(MOST_CONNECTIONS)
    return made


def _entrance(order: Order) -> Path:
    return Path(order.folder) / "in.sock"


def _door(order: Order) -> Path:
    return Path(order.folder) / "out.sock"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


if __name__ == "__main__":
    sys.exit(main())
