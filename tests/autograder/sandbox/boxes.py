"""Runs a piece of Python in a box and says what came of it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import DEFAULT_LIMITS, Box, BoxSpec, BoxUsage, Ending, interpreter, open_box
from autograder.sandbox.warm import WarmBoxes, kind_of
from autograder.sandbox.warmth import AGENT_BINDS, HOME
from autograder.sandbox.wire import Channel, Closed

SMALL = replace(DEFAULT_LIMITS, memory_mb=128, processes=16, file_mb=2, tmp_mb=4, cpu_seconds=20)
PATIENCE = 60.0
# Where `run` forks its boxes from; none: bubblewrap makes each, and Python starts anew in it.
WARM: ContextVar[WarmBoxes | None] = ContextVar("WARM", default=None)
# Whether those have had another program before.
SECOND: ContextVar[bool] = ContextVar("SECOND", default=False)
GREETING = [0, "ok", "ready", []]

_PROLOGUE = """
import os, sys
def say(*words):
    os.write({descriptor}, (" ".join(map(str, words)) + "\\n").encode())
"""
# What was passed to a forked box has another number there; it is the only pipe.
_THE_PIPE = """next(
    int(name) for name in os.listdir("/proc/self/fd")
    if os.path.exists("/proc/self/fd/" + name) and os.readlink("/proc/self/fd/" + name).startswith("pipe:")
)"""


@dataclass(frozen=True)
class Outcome:
    """What the program said through its one pipe, how its box ended and what that used."""

    said: str
    ending: Ending
    usage: BoxUsage
    diagnosis: str


def python_spec(code: str, descriptor: int, **changes: Any) -> BoxSpec:
    """A box for the code, which may call ``say``."""
    spec = BoxSpec(
        argv=(interpreter().executable, "-c", _PROLOGUE.format(descriptor=descriptor) + code),
        limits=SMALL,
        pass_fds=(descriptor,),
        name="test",
    )
    return replace(spec, **changes)


def run(code: str, status: int = 0, **changes: Any) -> Outcome:
    """Run the code to its end, however it comes to that.

    ``status``: what it exits with if no signal ends it. A program that stumbles (1) would say nothing of
    what it was to find, as one that finds nothing.
    """
    reader, writer = os.pipe()
    try:
        with opened(code, writer, **changes) as box:
            ended = box.wait(PATIENCE)
            box.kill()
            assert ended, f"the program ran on; it said {said(reader)!r}"
            outcome = Outcome(said(reader), box.ending(), box.usage(), box.diagnosis())
            assert outcome.ending.code in (None, status), f"the program stumbled: {outcome}"
            return outcome
    finally:
        os.close(reader)


@contextmanager
def opened(code: str, writer: int, **changes: Any) -> Iterator[Box]:
    """A box with the code in it; the descriptor is closed on this side."""
    warm = WARM.get()
    if warm is None:
        with open_box(python_spec(code, writer, **changes)) as box:
            os.close(writer)
            yield box
        return
    ours, theirs = socket.socketpair()
    with ours, theirs, forked(warm, theirs, writer, **changes) as box:
        os.close(writer)
        theirs.close()
        channel = Channel(ours)
        assert channel.receive(time.monotonic() + PATIENCE).message == GREETING
        whole = _PROLOGUE.format(descriptor=_THE_PIPE) + code + "\nos._exit(0)"
        channel.send([1, "cell", [], whole, 1 << 16])
        # A program that raises ends with 1; a cell doesn't end anything. One that has ended hears no more.
        with suppress(Closed):
            channel.send([2, "cell", [], "import os; os._exit(1)", 1 << 16])
        yield box


def forked(warm: WarmBoxes, line: socket.socket, writer: int, **changes: Any) -> Box:
    """A box of a zygote's, skipped where a zygote makes none of that kind."""
    binds = (*AGENT_BINDS, *changes.pop("binds", ()))
    env = {"PYTHONPATH": HOME, **changes.pop("env", {})}
    spec = python_spec("", writer, **changes)
    spec = replace(spec, pass_fds=(line.fileno(), writer), binds=binds, env=env)
    try:
        kind_of(spec, ())
    except ValueError as error:
        pytest.skip(str(error))
    return emptied(warm, spec).second(spec) if SECOND.get() else warm.open(spec, ())


def emptied(warm: WarmBoxes, spec: BoxSpec) -> Box:
    """A box whose first program, which has been at work, was ended."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fds = (theirs.fileno(), *spec.pass_fds[1:])
        box = warm.open(replace(spec, pass_fds=fds, twice=True), ())
        theirs.close()
        channel = Channel(ours)
        assert channel.receive(time.monotonic() + PATIENCE).message == GREETING
        channel.send([1, "cell", [], "open('/tmp/first', 'w').write('here')", 1 << 16])
        channel.receive(time.monotonic() + PATIENCE)
        assert box.vacate()
    return box


def program_of(box: Box) -> int:
    """The pid of the box's program: the first child of its init."""
    init = box.init_pid
    return int(Path(f"/proc/{init}/task/{init}/children").read_text().split()[0])


def said(reader: int) -> str:
    """What is in the pipe of a box that has ended."""
    os.set_blocking(reader, False)
    try:
        return os.read(reader, 1 << 16).decode().strip()
    except BlockingIOError:
        return ""


def hear(box: Box, reader: int) -> str:
    """One message of a box that runs on; "" where it ended without a word."""
    return os.read(reader, 1 << 16).decode().strip()
