"""Starting a box: from a `BoxSpec` to its first process, held fast before the program begins.

Contract: `start` returns with bubblewrap running, its report of the box's first process read and that
process held by a descriptor, so that no number can come to mean another process. Only then is the
program let through the gate. Where that fails, nothing is left running and the error carries what
bubblewrap said.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass

from autograder.sandbox.accounting import parent_of
from autograder.sandbox.cgroup import Group
from autograder.sandbox.descriptors import drain, fill, memory_file, pipe, ready
from autograder.sandbox.errors import BoxFailed
from autograder.sandbox.policy import (
    Descriptors,
    Footing,
    argument_bytes,
    bwrap_arguments,
    data_contents,
    new_uid,
    outer_command,
)
from autograder.sandbox.python import interpreter
from autograder.sandbox.seccomp import filter_program
from autograder.sandbox.spec import BoxSpec

_START_SECONDS = 20.0


@dataclass(frozen=True)
class Started:
    """A box whose program has been let go. The descriptors are its owner's to close.

    ``init`` and ``monitor`` are of processes: the box's first, and bubblewrap outside it. ``status`` is
    bubblewrap's report, ``words`` what was written on stderr.
    """

    uid: int
    process: subprocess.Popen[bytes]
    init_pid: int
    init: int
    monitor: int
    status: int
    words: int


def start(spec: BoxSpec, footing: Footing, group: Group | None) -> Started:
    """Start the box. Raises HostUnfit or BoxFailed."""
    uid = new_uid() if footing.as_root else os.getuid()
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        status, status_writer = pipe(ours, theirs)
        words, words_writer = pipe(ours, theirs)
        gate_reader, gate = pipe(theirs, ours)
        # A program that floods its stderr is refused, and neither stopped nor given memory.
        os.set_blocking(words_writer, False)
        command, passed = _command(spec, footing, group, _Ends(status_writer, gate_reader), uid, theirs)
        process = _spawn(command, passed, words_writer)
        theirs.close()
        try:
            monitor = _hold(process.pid, ours)
            init_pid = _first_process(status, process)
            init = _hold(init_pid, ours)
            if parent_of(init_pid) != process.pid:
                raise BoxFailed("its first process was gone at once")
            os.write(gate, b".")
        except BaseException as error:
            process.kill()
            process.wait()
            said = drain(words).decode(errors="replace").strip()
            raise BoxFailed(f"box {spec.name} did not start: {said or error}") from error
        ours.pop_all()
        os.close(gate)
        return Started(uid, process, init_pid, init, monitor, status, words)


@dataclass(frozen=True)
class _Ends:
    """bubblewrap's ends of two pipes: its report, and the gate that it waits at before the program."""

    status: int
    gate: int


def _command(
    spec: BoxSpec, footing: Footing, group: Group | None, ends: _Ends, uid: int, owner: contextlib.ExitStack
) -> tuple[list[str], tuple[int, ...]]:
    """The command line and the descriptors it needs, each a file in memory."""
    python = interpreter()
    program = filter_program(memory_files=group is not None, affinity=not spec.cpus)
    data = [memory_file(content, owner) for content in data_contents(spec, python)]
    arguments = memory_file(b"", owner)
    descriptors = Descriptors(
        seccomp=memory_file(program, owner), arguments=arguments, status=ends.status, gate=ends.gate
    )
    fill(arguments, argument_bytes(bwrap_arguments(spec, footing, python, descriptors, iter(data))))
    entrances = group.entrances if group else ()
    command = outer_command(spec, footing, entrances, descriptors, uid)
    return command, (*descriptors.all(), *data, *spec.pass_fds)


def _spawn(command: list[str], passed: tuple[int, ...], words: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the policy's own words, no shell reads the caller's
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=words,
        close_fds=True,
        pass_fds=passed,
        # bubblewrap's first process keeps this environment, where a program can read it.
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        start_new_session=True,
    )


def _hold(pid: int, owner: contextlib.ExitStack) -> int:
    """A descriptor of a process that can't have been reaped yet: from here on it means no other."""
    descriptor = os.pidfd_open(pid)
    owner.callback(os.close, descriptor)
    return descriptor


def _first_process(status: int, process: subprocess.Popen[bytes]) -> int:
    """The pid of the box's init, as bubblewrap reports it before it lets it go on."""
    received = b""
    deadline = time.monotonic() + _START_SECONDS
    while b"\n" not in received:
        if not ready(status, max(0.0, deadline - time.monotonic())):
            raise BoxFailed(f"bubblewrap said nothing for {_START_SECONDS:.0f} seconds")
        piece = os.read(status, 4096)
        if not piece:
            raise BoxFailed(f"bubblewrap ended with status {process.wait()}")
        received += piece
    return int(reports(received)[0]["child-pid"])


def reports(text: bytes) -> list[dict[str, int]]:
    """bubblewrap's report: one JSON object a line."""
    return [json.loads(line) for line in text.splitlines() if line.startswith(b"{")]
