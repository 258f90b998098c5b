"""The judge process: forks a child for each notebook from a parent that has numpy loaded, and torch once a
notebook needs it.

Contract: ``python -m autograder.judge.server FD`` says ``READY`` over FD, and takes words there. With
``SESSION`` comes a descriptor, a socket over which a driver sends ``[operation, arguments…]`` and gets one
answer each. ``WITH_TORCH`` has torch loaded, and is answered with another ``READY``: however long that takes,
no session waits for it. With ``CHECKS`` comes the descriptor of a file: the checks of the notebooks that
follow, to be compiled once for all of them.

Trust: the driver is trusted; what comes from boxes is not. This process runs boxed itself (no
network, nothing writable but its own /tmp), for it reads what the student's code sends.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import random
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.judge.hollow import keep_hollow_arrays, refuse_hollow_answers
from autograder.judge.measured import MeasuredChannel
from autograder.judge.plan import CheckStep
from autograder.judge.preloading import guard_torch, load, load_torch, require_one_thread
from autograder.judge.programs import learn
from autograder.judge.proxy import refusal_of
from autograder.judge.rehearsal import rehearse
from autograder.judge.session import Session
from autograder.sandbox.arena import Arena
from autograder.sandbox.entry import fork_alone
from autograder.sandbox.pages import settle_for_forks, watch_code
from autograder.sandbox.wire import Channel, Closed

SESSION_BYTES = 3 << 30
PR_SET_DUMPABLE = 4
SESSION, WITH_TORCH, CHECKS = b"S", b"T", b"C"
READY = b"R"
TORCH_SEED = 67280421310721  # what torch begins with: c10's default_rng_seed_val


class Chance:
    """The generators that a check may use beside its own ``rng``, as they were when this was made: how far
    an earlier session had drawn from them, which a student's code can decide, changes no later input."""

    def __init__(self) -> None:
        self.numpy = np.random.get_state()
        torch: Any = sys.modules.get("torch")
        self.torch = torch.get_rng_state() if torch is not None else None

    def begin_anew(self) -> None:
        random.seed()
        np.random.set_state(self.numpy)
        torch: Any = sys.modules.get("torch")
        if torch is not None and self.torch is None:
            torch.manual_seed(TORCH_SEED)
        elif torch is not None:
            torch.set_rng_state(self.torch)


class Desk:
    """Answers one driver about one notebook."""

    def __init__(self, sock: socket.socket, chance: Chance) -> None:
        self.sock = sock
        self.channel = Channel(sock)
        self.session: Session | None = None
        self.boxes = contextlib.ExitStack()
        self.chance = chance
        self.operations: dict[str, Callable[..., Any]] = {
            "sit": self.sit,
            "open": self.open,
            "attach": self.attach,
            "cell": self.cell,
            "check": self.check,
        }

    def serve(self) -> None:
        with self.boxes, contextlib.suppress(Closed):
            while True:
                operation, *arguments = self.channel.receive().message
                self.channel.send(self.operations[operation](*arguments))

    @property
    def open_session(self) -> Session:
        if self.session is None:
            raise RuntimeError("the driver must open a session first")
        return self.session

    def sit(self, core: int) -> None:
        """Keeps this process to a core, where it may use that one: it only saves time."""
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {core})

    def open(self, seed: bytes, imports: list[str], *names: list[str]) -> str:
        """Begins a session. Where there was one before, its boxes and all that its checks bound are gone."""
        if self.session is not None:
            self.session = None
            gc.collect()
            self.chance.begin_anew()
        self.session = Session(seed, imports, *names)
        return "open"

    def attach(self, role: str, seconds: float) -> str | None:
        """The box's descriptors follow: its socket and, where its turns are measured, its arena."""
        _, fds, _, _ = socket.recv_fds(self.sock, 1, 2)
        sock = self.boxes.enter_context(socket.socket(fileno=fds[0]))
        arena = Arena(fds[1]) if len(fds) > 1 else None
        channel = Channel(sock, buffered=True) if arena is None else MeasuredChannel(sock)
        return self.open_session.attach(role, channel, seconds, arena)

    def cell(self, source: str, cap: int, seconds: float, role: str, binds: list[str]) -> dict[str, Any]:
        self.open_session.namespace.hand_back(binds)
        return self.open_session.run_cell(source, cap, seconds, role)

    def check(self, step: dict[str, Any], open_pass: bool, seconds: float) -> dict[str, Any]:
        hidden = frozenset(step.pop("hidden"))
        return self.open_session.run_check(CheckStep(hidden=hidden, **step), open_pass, seconds).to_wire()


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    # A child that a student's data took over could not write into this process's memory.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    guard_torch()
    load("numpy", "numpy.random", "numpy.testing", "pytest")
    keep_hollow_arrays(refusal_of)
    refuse_hollow_answers()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    chance = get_ready()
    control.send(READY)
    while True:
        word, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not word:
            return
        if word == WITH_TORCH:
            load_torch()
            chance = get_ready()
            control.send(READY)
        elif word == CHECKS:
            with os.fdopen(fds.pop(), "rb") as file:
                learn(file.read())
            gc.freeze()
        elif word == SESSION and fork_alone() == 0:
            random.seed()
            control.close()
            # A reply that is small on the wire may be huge in memory: it ends this notebook's judge
            # only, with a MemoryError that counts as nonsense from the box.
            resource.setrlimit(resource.RLIMIT_AS, (SESSION_BYTES, SESSION_BYTES))
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                Desk(socket.socket(fileno=fds[0]), chance).serve()
            finally:
                os._exit(0)
        for fd in fds:
            os.close(fd)


def get_ready() -> Chance:
    """For forks, with all that is loaded now."""
    chance = Chance()
    watch_code()
    rehearse(lambda sock: Desk(sock, chance).serve())
    require_one_thread()
    settle_for_forks()
    return chance


if __name__ == "__main__":
    main()
