"""Runs one job's commands, in a session of its own, and writes down what they report.

Contract: ``python -m hub.pages.runner FOLDER LOCK``: the open file ``LOCK`` holds the job's lock, which
ends with this process, however it ends. Returns at once and goes on in the background. An
interrupt of its process group reaches the command, which ends in its own way; this process waits for
it and writes the event ``end`` last. Runs in a course directory of staff: trusts job.json.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

LONGEST_LINE = 1 << 16
INTERRUPTED = 130


def main(folder: Path) -> None:
    ready, ours = os.pipe()
    pid = os.fork()
    if pid:
        (folder / "pid").write_text(str(pid))
        os.close(ours)
        os.read(ready, 1)  # until it leads a process group, which can be interrupted
        os._exit(0)
    os.setsid()
    stop = threading.Event()
    # A handler, not SIG_IGN: the commands must not inherit deafness.
    signal.signal(signal.SIGINT, lambda number, frame: stop.set())
    os.umask(0o077)
    os.close(ready)
    os.close(ours)
    with (
        (folder / "events.jsonl").open("ab", buffering=0) as events,
        (folder / "words.log").open("ab") as log,
    ):
        code = run_all(json.loads((folder / "job.json").read_bytes())["commands"], events, log, stop)
        write(events, {"event": "end", "exit": code})


def run_all(commands: list[list[str]], events: IO[bytes], log: IO[bytes], stop: threading.Event) -> int:
    """Runs the commands in turn; the first one that fails is the last, and none begins after a stop."""
    for words in commands:
        if stop.is_set():
            return INTERRUPTED
        write(events, {"event": "step", "command": shlex.join(words)})
        if code := run(words, events, log):
            return code
    return 0


def run(command: list[str], events: IO[bytes], log: IO[bytes]) -> int:
    """Runs one command and returns its exit code. Lines of JSON are events, others are for people."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        for line in process.stdout:
            target = events if is_event(line) else log
            target.write(line)
            log.flush()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def is_event(line: bytes) -> bool:
    try:
        return len(line) < LONGEST_LINE and "event" in json.loads(line)
    except (ValueError, TypeError):
        return False


def write(events: IO[bytes], event: dict[str, object]) -> None:
    events.write(json.dumps(event).encode() + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
