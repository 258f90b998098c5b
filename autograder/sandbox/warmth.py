"""What a box takes on this host, forked and started anew: `mlsys doctor`'s last line.

Contract: opens some boxes with the agent in them and leaves nothing behind. It raises nothing: where none can
be forked the check says why, and grading starts each box anew.
"""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from autograder.sandbox.box import Box, open_box
from autograder.sandbox.descriptors import ready
from autograder.sandbox.errors import BoxFailed, SandboxError
from autograder.sandbox.host import Check, Status
from autograder.sandbox.limits import DEFAULT_LIMITS
from autograder.sandbox.policy import this_host
from autograder.sandbox.python import interpreter
from autograder.sandbox.spec import Bind, BoxSpec
from autograder.sandbox.warm import WarmBoxes, why_cold

NAME = "warm boxes"
SECONDS = 60.0
TIMES = 5
SLOW = "every submission loads Python and its packages anew, which takes a second of CPU where it uses torch"
SMALL = 1 << 12
HOME = "/opt/mlsys"
PACKAGE = Path(__file__).parent
# What the agent needs of this package, and no more.
AGENT_BINDS = (
    Bind(PACKAGE.parent / "__init__.py", f"{HOME}/autograder/__init__.py"),
    Bind(PACKAGE, f"{HOME}/autograder/sandbox"),
)


def inspect_warm_boxes() -> Check:
    """Call it where boxes can be opened at all."""
    try:
        if reason := why_cold(spec_for(())):
            found = f"no box can be forked: {reason}"
            return Check(NAME, Status.DEGRADED, found, SLOW, "keep .venv elsewhere")
        cold = taken(open_box)
        with WarmBoxes() as boxes:

            def forked(spec: BoxSpec) -> Box:
                return boxes.open(spec, ())

            taken(forked)  # starts the zygote
            warm = statistics.median(taken(forked) for _ in range(TIMES))
            [zygote] = boxes.zygotes.values()
            size = zygote.size >> 20
    except (SandboxError, OSError, ValueError) as error:
        return Check(NAME, Status.DEGRADED, str(error), SLOW, "grading works without; report this")
    found = f"a box in {warm * 1000:.0f} ms, from a process of {size} MB; {cold * 1000:.0f} ms for a new one"
    if this_host().place is None:
        found += "; what is loaded before doesn't count against a process's memory limit"
    return Check(NAME, Status.OK, found)


def taken(opener: Callable[[BoxSpec], Box]) -> float:
    """Seconds from asking for a box to its agent's first word."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        begin = time.perf_counter()
        with opener(spec_for((theirs.fileno(),))):
            theirs.close()
            if not ready(ours.fileno(), SECONDS) or not ours.recv(SMALL):
                raise BoxFailed("the agent in a box said nothing")
            return time.perf_counter() - begin


def spec_for(passed: tuple[int, ...]) -> BoxSpec:
    spec = BoxSpec(
        argv=(interpreter().executable, "-m", "autograder.sandbox.agent", *map(str, passed)),
        limits=DEFAULT_LIMITS,
        binds=AGENT_BINDS,
        env={"PYTHONPATH": HOME},
        name="host check",
    )
    return replace(spec, pass_fds=passed)
