"""The driver's end of judging a notebook: requests to a judge process, boxes handed to it.

Contract: a request that isn't answered raises ``JudgeGone``. The notebook's process is lost then, with
everything that checks have bound in it; ``renew`` begins another.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any

from autograder.errors import PlatformError
from autograder.judge.plan import CheckStep, Plan
from autograder.judge.session import Outcome
from autograder.sandbox.wire import Channel, Closed, Late, WireError

GRACE_SECONDS = 20.0


class JudgeGone(PlatformError):
    """The judge process of this notebook ended or doesn't answer."""


class JudgeDesk:
    """A judge process for one notebook, and a session in it at a time; closing it ends the process.

    ``connect`` returns a socket whose other end the judge has. ``core`` is where it works, and where its
    boxes start; None for any. ``sessions`` counts the sessions.
    """

    def __init__(
        self, connect: Callable[[], socket.socket], plan: Plan, seed: bytes, core: int | None = None
    ) -> None:
        self.core = core
        self.connect = connect
        self.plan = plan
        self.seed = seed
        self.sessions = 0
        self.sock: socket.socket | None = None

    def begin(self) -> None:
        """Begins a session, which has no box yet. Nothing that earlier ones have bound is in it; it may go on
        in their process."""
        if self.sock is None:
            self.sock = self.connect()
            self.channel = Channel(self.sock)
            if self.core is not None:
                self.ask(10, "sit", self.core)
        self.sessions += 1
        plan = self.plan
        names = (plan.student_names, plan.functions, plan.operators, plan.bases)
        self.ask(30, "open", self.seed, list(plan.imports), *map(sorted, names))

    def renew(self) -> None:
        """Begins a session in a process of its own."""
        self.close()
        self.begin()

    def close(self) -> None:
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.close()
            self.sock = None

    def ask(self, seconds: float, operation: str, *arguments: Any, fds: tuple[int, ...] = ()) -> Any:
        deadline = time.monotonic() + seconds + GRACE_SECONDS
        if self.sock is None:
            raise RuntimeError("a session must be begun first")
        try:
            self.channel.send([operation, *arguments], deadline=deadline)
            if fds:
                socket.send_fds(self.sock, [b"F"], list(fds))
            return self.channel.receive(deadline).message
        except Late as error:
            whole = seconds + GRACE_SECONDS
            raise JudgeGone(f"the judge process gave no answer to {operation!r} in {whole:.0f} s") from error
        except (Closed, WireError, OSError) as error:
            raise JudgeGone(f"the judge process ended while it was asked to {operation!r}") from error

    def attach(self, role: str, fds: tuple[int, ...], seconds: float) -> str | None:
        """How the box was lost while it started, None when it is ready. ``fds`` are its socket and, where
        its turns are measured, its arena."""
        lost = self.ask(seconds, "attach", role, seconds, fds=fds)
        return None if lost is None else str(lost)

    def cell(
        self, source: str, cap: int, seconds: float, role: str, binds: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """``binds``: names that are the student's from here on, whatever checks have bound to them."""
        return dict(self.ask(seconds, "cell", source, cap, seconds, role, sorted(binds)))

    def check(self, step: CheckStep, open_pass: bool, seconds: float) -> Outcome:
        sent = {**vars(step), "hidden": sorted(step.hidden)}
        return Outcome.from_wire(self.ask(seconds, "check", sent, open_pass, seconds))
