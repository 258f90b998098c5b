"""The speed lane: one core, for one race at a time on this host.

Contract: inside ``lane`` no other process of this host that asks for a lane is given the same physical core.
A lane is free again when its holder leaves or ends, however it ends.

Theory of operation: who listens on the core's abstract unix socket has the lane. The kernel gives such a
name to one socket at a time, whoever its owner is, and takes it back with the process; nothing is left
on disk. Who waits connects, and is woken by the end of that connection. Nobody reads or writes.

What it rests on: processes that share cores share a network namespace. Boxes have one of their own, so a
student's code can't take a lane. Containers have too: give each its own cores (a cpuset). Any other
user of the host can take the name and keep it; then a race is no student's loss but a PlatformError after
``patience`` seconds of the same holder, which the kernel names.
"""

from __future__ import annotations

import contextlib
import errno
import pwd
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from autograder.errors import PlatformError
from autograder.speed.cores import Cores

PATIENCE_SECONDS = 3600.0
LOOK_AGAIN_SECONDS = 0.2
MOST_WAITING = 512
CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True)
class Holder:
    """Who has a lane, in the kernel's words. ``pid`` is 0 for a process of another pid namespace."""

    pid: int
    uid: int

    def __str__(self) -> str:
        try:
            name = pwd.getpwuid(self.uid).pw_name
        except KeyError:
            name = f"uid {self.uid}"
        return f"process {self.pid or '(of another container)'} of {name}"


@contextlib.contextmanager
def lane(
    cores: Cores | None = None,
    *,
    patience: float = PATIENCE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[int, ...]]:
    """Waits for the first free lane of ``cores`` (those of the calling thread) and yields its core.

    Not to be entered again inside. Raises PlatformError where no lane changed hands for ``patience`` seconds.
    """
    cores = cores or Cores.here()
    held, core = wait_for_a_lane(cores, patience, clock)
    with held:
        yield (core,)


def wait_for_a_lane(cores: Cores, patience: float, clock: Callable[[], float]) -> tuple[socket.socket, int]:
    deadline = clock() + patience
    while True:
        for core in cores.lanes:
            held = take(cores.place(core))
            if held is not None:
                return held, core
        left = deadline - clock()
        if left <= 0:
            raise PlatformError(stuck(cores, patience))
        if wait_for_a_change([cores.place(core) for core in cores.lanes], left):
            deadline = clock() + patience


def take(place: int) -> socket.socket | None:
    """The lane, to be given back by closing it; None where another has it. Raises PlatformError."""
    return take_name(name_of(place))


def take_name(name: str) -> socket.socket | None:
    """A name that one socket of the host has at a time, to be given back by closing it; None where another
    has it. Raises PlatformError."""
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        ours.bind(name)
        ours.listen(MOST_WAITING)
    except OSError as error:
        ours.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise PlatformError(f"the socket {name!r} can't be made: {error}") from error
    return ours


def wait_for_a_change(places: Sequence[int], seconds: float) -> bool:
    """Waits until one of the lanes is given back; returns whether it was seen. It returns early, to be
    called again, where it can't watch them all: a holder between two steps, or more waiting than fit."""
    with contextlib.ExitStack() as undo:
        watched = [undo.enter_context(line) for line in map(knock, places) if line is not None]
        if len(watched) < len(places):
            seconds = min(seconds, LOOK_AGAIN_SECONDS)
        poll = select.poll()
        for line in watched:
            poll.register(line, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


def knock(place: int) -> socket.socket | None:
    """A connection that ends when the lane's holder gives it back; None where nobody answers."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        line.connect(name_of(place))
    except OSError:
        line.close()
        return None
    return line


def is_held(place: int) -> bool:
    """Whether somebody has a lane, though too many may have asked who it is for one more to be let in."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as line:
        try:
            line.connect(name_of(place))
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


def holder(place: int) -> Holder | None:
    """Who has a lane now; None where it is free or its holder doesn't listen."""
    line = knock(place)
    if line is None:
        return None
    with line:
        sent = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, uid, _ = CREDENTIALS.unpack(sent)
    return Holder(pid, uid)


def name_of(place: int) -> str:
    return f"\0mlsys-lane-{place}"


def stuck(cores: Cores, patience: float) -> str:
    """Whom to ask, in words."""
    who = [f"core {core}: {holder(cores.place(core)) or 'a process unknown'}" for core in cores.lanes]
    return (
        f"the speed lane has not been given back for {patience:.0f} s; {', '.join(who)}."
        " End that process or ask its owner (`ss -xlp | grep mlsys-lane`), and grade again"
    )


__all__ = ["Holder", "holder", "lane"]
