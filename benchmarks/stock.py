"""The stock nbgrader with a throw-away course in a box, and what an attack does to it there.

Contract: each attack gets a box of its own, with a course in which one student has been graded before. The
attacker's submission is graded, then an honest one, then feedback is written. Everything that comes out of
the box is untrusted: it is capped, parsed strictly, and what isn't right counts as not said. The box has the
loopback network that jupyter's kernels talk over, and is otherwise as tight as a student's: nbgrader has none
of its own, so this one holds some attacks for it.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import queue
import re
import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import nbformat

from autograder.errors import PlatformError
from autograder.gradebook.folders import notebook_bytes
from autograder.sandbox import Bind, BoxSpec, Limits, interpreter, open_box
from tests.autograder.conftest import CONFIG
from tests.autograder.target import NAME, POINTS, REFERENCE, STUB, assignment

ATTACKER, EARLIER, HONEST = "attacker", "earlier", "honest"
EARLIER_ANSWERS = {**STUB, "double": REFERENCE["double"], "norm": REFERENCE["norm"]}
EARLIER_MARK = float(POINTS["double"] + POINTS["norm"])
HIDDEN_WORD = "8318274"  # stands in the target's hidden tests, and nowhere else
CELL_SECONDS = 10.0
ATTACK_SECONDS, HONEST_SECONDS, FEEDBACK_SECONDS, SPARE_SECONDS = 120.0, 120.0, 120.0, 30.0
LIMITS = Limits(
    cell_seconds=CELL_SECONDS,
    notebook_seconds=ATTACK_SECONDS,
    cpu_seconds=300,
    memory_mb=1536,
    processes=128,
    file_mb=256,
    output_kb=1024,
    tmp_mb=256,
)
RUNNER = "/opt/stock/runner.py"
MOST_TOLD, MOST_COURSE = 1 << 20, 64 << 20
LOOK_SECONDS = 0.2
# As nbformat writes a hidden part: what a student's file, made from the release, doesn't have.
HIDDEN = re.compile(rb'"### BEGIN HIDDEN TESTS\\n",.*?"### END HIDDEN TESTS"', re.DOTALL)

Plain = TypeVar("Plain", str, int, bool)


class Stopped(Exception):
    """Somebody asked for the end."""


@dataclass(frozen=True)
class Command:
    """One run of nbgrader's. ``exit`` is negative for a signal, None where it couldn't start."""

    exit: int | None
    hung: bool
    seconds: float
    words: str


@dataclass(frozen=True)
class Facts:
    """What came out of the box. What wasn't said, because the runner was ended, is None.

    ``points``: every student's. ``left``: processes that nobody ended. ``found``: what the attack reports.
    ``printed`` and ``told``: words that stand in the outputs and on the feedback page.
    """

    attacked: Command | None = None
    left: int | None = None
    honest: Command | None = None
    feedback: Command | None = None
    points: Mapping[str, float] | None = None
    most: float | None = None
    unreadable: str = ""
    found: tuple[str, ...] | None = None
    printed: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


class StockNbgrader:
    """Grades attacks. Open it first: that makes the course which every box starts from."""

    def __init__(self, workers: int) -> None:
        """``workers``: how many boxes at a time, each on a core of its own while there are enough."""
        self.course = ""
        self._stop = threading.Event()
        self._cores: queue.SimpleQueue[int] = queue.SimpleQueue()
        for core, _ in zip(itertools.cycle(sorted(os.sched_getaffinity(0))), range(workers), strict=False):
            self._cores.put(core)

    def open(self) -> None:
        """Releases the assignment and grades the earlier student. Raises PlatformError where that fails."""
        files = {
            f"source/{NAME}/{NAME}.ipynb": notebook_bytes(assignment(REFERENCE)),
            "nbgrader_config.py": f"{CONFIG}c.Execute.timeout = {CELL_SECONDS:.0f}\n".encode(),
            **_handed_in(EARLIER, _honest_files(EARLIER_ANSWERS)),
        }
        steps = [
            {"do": "unpack", "name": "files", "files": _encoded(files)},
            _nbgrader("released", ATTACK_SECONDS, "generate_assignment", NAME),
            _nbgrader("graded", ATTACK_SECONDS, "autograde", NAME),
            {"do": "marks", "name": "marks", "assignment": NAME},
            {"do": "pack", "name": "course"},
        ]
        told = {
            each["step"]: each for each in self._run("the course", steps, 2 * ATTACK_SECONDS, MOST_COURSE)
        }
        if told.get("marks", {}).get("points") != {EARLIER: EARLIER_MARK} or "course" not in told:
            said = " ".join(str(each["words"]) for each in told.values() if each.get("words"))
            raise PlatformError(f"the stock nbgrader didn't make its course in a box: {said or sorted(told)}")
        self.course = str(told["course"]["course"])

    def grade(self, name: str, files: Mapping[str, bytes], secrets: Sequence[str] = ()) -> Facts:
        """What this submission does. Raises SandboxError where no box can be opened, Stopped after `stop`."""
        released = {each: HIDDEN.sub(b'""', data) for each, data in files.items()}
        secret = [word for word in secrets if not any(word.encode() in data for data in released.values())]
        handed_in = {**_handed_in(ATTACKER, released), **_handed_in(HONEST, _honest_files(REFERENCE))}
        student = ("--student", ATTACKER)
        steps: list[dict[str, Any]] = [
            {"do": "unpack", "name": "files", "course": self.course, "files": _encoded(handed_in)},
            _nbgrader("attacked", ATTACK_SECONDS, "autograde", NAME, *student),
            {"do": "processes", "name": "left"},
            _nbgrader("honest", HONEST_SECONDS, "autograde", NAME, "--student", HONEST),
            _nbgrader("feedback", FEEDBACK_SECONDS, "generate_feedback", NAME, *student),
            {"do": "marks", "name": "marks", "assignment": NAME},
            {
                "do": "seen",
                "name": "seen",
                "notebooks": f"autograded/{ATTACKER}/{NAME}/*.ipynb",
                "pages": f"feedback/{ATTACKER}/{NAME}/*.html",
                "words": [HIDDEN_WORD, *secret],
            },
        ]
        limit = ATTACK_SECONDS + HONEST_SECONDS + FEEDBACK_SECONDS + SPARE_SECONDS
        return facts(self._run(name, steps, limit, MOST_TOLD))

    def stop(self) -> None:
        """Ends every box soon, each in its own thread."""
        self._stop.set()

    def _run(self, name: str, steps: Sequence[Any], seconds: float, most: int) -> list[dict[str, Any]]:
        core = self._cores.get()
        try:
            return said(self._box(name, steps, seconds, most, core))
        finally:
            self._cores.put(core)

    def _box(self, name: str, steps: Sequence[Any], seconds: float, most: int, core: int) -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            spec = BoxSpec(
                argv=(interpreter().executable, "-I", RUNNER, str(theirs.fileno())),
                limits=LIMITS,
                binds=(Bind(Path(__file__).with_name("stock_runner.py"), RUNNER),),
                pass_fds=(theirs.fileno(),),
                name=f"stock nbgrader, {name}",
                loopback=True,
                cpus=(core,),  # a fork bomb must not take the time of the box beside it
            )
            with open_box(spec):
                theirs.close()
                task = json.dumps({"steps": list(steps)}).encode()
                ours.settimeout(SPARE_SECONDS)
                ours.sendall(struct.pack("<Q", len(task)) + task)
                return self._listen(ours, time.monotonic() + seconds, most)

    def _listen(self, channel: socket.socket, deadline: float, most: int) -> bytes:
        """All that the runner says until it ends, the time is over, or it says too much."""
        told = bytearray()
        channel.settimeout(LOOK_SECONDS)
        while time.monotonic() < deadline and len(told) <= most:
            if self._stop.is_set():
                raise Stopped
            try:
                part = channel.recv(1 << 16)
            except TimeoutError:
                continue
            if not part:
                break
            told += part
        return bytes(told[:most])


def said(told: bytes) -> list[dict[str, Any]]:
    """The steps that were told of, up to the first line that isn't one."""
    steps = []
    for line in told.split(b"\n")[:-1]:
        try:
            step = json.loads(line, parse_constant=_refuse)
        except (ValueError, RecursionError):
            break
        if not isinstance(step, dict) or not isinstance(step.get("step"), str):
            break
        steps.append(step)
    return steps


def facts(steps: Sequence[Mapping[str, Any]]) -> Facts:
    """What the steps say; whatever isn't of its right kind counts as not said."""
    by_name = {step["step"]: step for step in reversed(steps)}
    marks, seen = by_name.get("marks", {}), by_name.get("seen", {})
    points = marks.get("points")
    right = isinstance(points, dict) and all(_is_number(each) for each in points.values())
    found = seen.get("found")
    return Facts(
        attacked=_command(by_name.get("attacked", {})),
        left=_one(by_name.get("left", {}).get("left"), int),
        honest=_command(by_name.get("honest", {})),
        feedback=_command(by_name.get("feedback", {})),
        points={name: float(each) for name, each in points.items()} if right else None,
        most=float(marks["most"]) if _is_number(marks.get("most")) else None,
        unreadable=_one(marks.get("words"), str) or "",
        found=None if found is None else _words(found),
        printed=_words(seen.get("printed")),
        told=_words(seen.get("told")),
    )


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _one(value: object, kind: type[Plain]) -> Plain | None:
    return value if type(value) is kind else None


def _words(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _command(step: Mapping[str, Any]) -> Command | None:
    hung, seconds = _one(step.get("hung"), bool), step.get("seconds")
    if hung is None or not _is_number(seconds):
        return None
    return Command(_one(step.get("exit"), int), hung, float(str(seconds)), _one(step.get("words"), str) or "")


def _nbgrader(name: str, seconds: float, *words: str) -> dict[str, Any]:
    return {"do": "nbgrader", "name": name, "seconds": seconds, "words": words}


def _handed_in(student: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"submitted/{student}/{NAME}/{name}": data for name, data in files.items()}


def _honest_files(answers: dict[str, str]) -> dict[str, bytes]:
    data = nbformat.writes(assignment(answers)).encode()
    return {f"{NAME}.ipynb": HIDDEN.sub(b'""', data)}


def _encoded(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(data).decode() for name, data in files.items()}


def can_hand_in(files: Mapping[str, bytes]) -> bool:
    """Whether files can have such names where nbgrader collects them: from folders, not from an upload."""
    return all(_is_a_name(name) for name in files)


def _is_a_name(name: str) -> bool:
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return False
    parts = PurePosixPath(name).parts
    plain = bool(parts) and not name.startswith("/") and ".." not in parts and "\0" not in name
    return plain and all(len(part) <= 255 for part in encoded.split(b"/"))
