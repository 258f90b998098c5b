"""Runs a piece of Python in a box and says what came of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from autograder.sandbox import DEFAULT_LIMITS, Box, BoxSpec, BoxUsage, Ending, interpreter, open_box

SMALL = replace(DEFAULT_LIMITS, memory_mb=128, processes=16, file_mb=2, tmp_mb=4, cpu_seconds=20)
PATIENCE = 60.0

_PROLOGUE = """
import os, sys
def say(*words):
    os.write({descriptor}, (" ".join(map(str, words)) + "\\n").encode())
"""


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


def run(code: str, **changes: Any) -> Outcome:
    """Run the code to its end, however it comes to that."""
    reader, writer = os.pipe()
    try:
        with open_box(python_spec(code, writer, **changes)) as box:
            os.close(writer)
            ended = box.wait(PATIENCE)
            box.kill()
            assert ended, f"the program ran on; it said {said(reader)!r}"
            return Outcome(said(reader), box.ending(), box.usage(), box.diagnosis())
    finally:
        os.close(reader)


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
