"""Runs in a box: does with the stock nbgrader what it is told to, and tells what came of it.

Run by `benchmarks.stock` only, as ``python -I stock_runner.py DESCRIPTOR``. The socket at that descriptor
brings one task (JSON after its length) and takes a line of JSON for each step; nothing else of the task is in
the box's files. The attacker's code runs as the same user and may end this process: what has been said
by then is the report. Needs nbgrader and the standard library.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import select
import signal
import socket
import struct
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderApp

COURSE = Path.home() / "course"
DATABASE = f"sqlite:///{COURSE}/gradebook.db"
SETTLE_SECONDS = 3.0
MOST_SOURCE, MOST_FOUND, MOST_WORDS = 64 << 20, 20, 300
LOOK_SECONDS = 0.05


class Forked(Exception):
    """This process is the child that becomes nbgrader: it leaves `main` with nothing of it kept open."""

    def __init__(self, words: list[str], stderr: int) -> None:
        super().__init__()
        self.words, self.stderr = words, stderr


def main() -> None:
    try:
        with socket.socket(fileno=int(sys.argv[1])) as channel:
            serve(channel)
    except Forked as forked:
        become_nbgrader(forked.words, forked.stderr)


def serve(channel: socket.socket) -> None:
    """Does the task's steps in their order."""
    steps: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "unpack": unpack,
        "nbgrader": nbgrader,
        "processes": processes,
        "marks": marks,
        "seen": seen,
        "pack": pack,
    }
    for step in receive(channel)["steps"]:
        told = {"step": step["name"], **steps[step["do"]](step)}
        channel.sendall(json.dumps(told, allow_nan=False).encode() + b"\n")


def receive(channel: socket.socket) -> dict[str, Any]:
    with channel.makefile("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        task: dict[str, Any] = json.loads(stream.read(length))
        return task


def unpack(step: dict[str, Any]) -> dict[str, Any]:
    """Puts the course in its place, or files into it."""
    if "course" in step:
        COURSE.mkdir()
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(step["course"]))) as archive:
            archive.extractall(COURSE)  # noqa: S202 - what `pack` made
    for name, data in step.get("files", {}).items():
        path = COURSE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))
    return {}


def pack(step: dict[str, Any]) -> dict[str, Any]:
    """The course as it is now."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(COURSE, ".")
    return {"course": base64.b64encode(packed.getvalue()).decode()}


def nbgrader(step: dict[str, Any]) -> dict[str, Any]:
    """One command of nbgrader's as a teacher runs it, ended with its session after ``seconds``.

    Forked and not executed: importing nbgrader anew takes longer than grading does.
    """
    begin = time.monotonic()
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        return {"exit": None, "hung": False, "seconds": 0.0, "words": f"can't start: {error.strerror}"}
    if child == 0:
        os.close(reader)
        raise Forked(step["words"], writer)
    os.close(writer)
    code, last = watch(child, reader, begin + step["seconds"])
    os.close(reader)
    hung = code is None
    if code is None:
        os.killpg(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    words = last.decode(errors="replace")
    return {"exit": code, "hung": hung, "seconds": time.monotonic() - begin, "words": words}


def become_nbgrader(words: list[str], stderr: int) -> NoReturn:
    """Goes on as the program ``nbgrader`` would."""
    os.setsid()
    os.chdir(COURSE)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor, source in ((0, nothing), (1, nothing), (2, stderr)):
        os.dup2(source, descriptor)
    os.close(nothing)
    os.close(stderr)
    NbGraderApp.launch_instance(words)
    sys.exit(0)


def watch(child: int, reader: int, deadline: float) -> tuple[int | None, bytes]:
    """The exit status, None where there is none in time; and the last that came on stderr, which is read
    all the while so that nobody waits for a full pipe."""
    last = b""
    os.set_blocking(reader, False)
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if select.select([reader], [], [], 0 if ended else LOOK_SECONDS)[0]:
            part = os.read(reader, 1 << 16)
            last = (last + part)[-MOST_WORDS * 4 :]
            if not part and not ended:
                time.sleep(LOOK_SECONDS)
        if ended:
            return os.waitstatus_to_exitcode(status), last
    return None, last


def processes(step: dict[str, Any]) -> dict[str, Any]:
    """How many are left that no command of ours has to do with, after the time that a process takes to go."""
    own = {1, os.getpid()}
    deadline = time.monotonic() + SETTLE_SECONDS
    while left := {int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()} - own:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return {"left": len(left)}


def marks(step: dict[str, Any]) -> dict[str, Any]:
    """Every student's points in the gradebook, by nbgrader's own reckoning; None where it can't be read."""
    try:
        with Gradebook(DATABASE) as gradebook:
            points = {
                each.student.id: float(each.score)
                for each in gradebook.assignment_submissions(step["assignment"])
            }
            most = float(gradebook.find_assignment(step["assignment"]).max_score)
    except Exception as error:  # whatever the attacker has made of the file
        return {"points": None, "most": None, "words": f"{type(error).__name__}: {error}"[:MOST_WORDS]}
    return {"points": points, "most": most, "words": ""}


def seen(step: dict[str, Any]) -> dict[str, Any]:
    """What the attacker's cells showed and what the feedback page tells: which of the words are there."""
    outputs = "\n".join(map(text_of, sorted(COURSE.glob(step["notebooks"]))))
    pages = "\n".join(read(path) for path in sorted(COURSE.glob(step["pages"])))
    found = re.findall(r"FOUND: ?(.*)", outputs)[:MOST_FOUND]
    return {
        "found": [each[:MOST_WORDS] for each in found],
        "printed": [word for word in step["words"] if word in outputs],
        "told": [word for word in step["words"] if word in pages],
    }


def text_of(path: Path) -> str:
    """The outputs of a notebook as they were printed."""
    try:
        cells = json.loads(read(path))["cells"]
    except (ValueError, KeyError):
        return ""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join("".join(each.get("text") or json.dumps(each)) for each in outputs)


def read(path: Path) -> str:
    with path.open(errors="replace") as file:
        return file.read(MOST_SOURCE)


if __name__ == "__main__":
    main()
