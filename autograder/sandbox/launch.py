"""Starting a box: from a `BoxSpec` to a program that has just begun.

Theory of operation. Everything up to the program is ours, and so are stdin, stdout and stderr until it
begins. bubblewrap reports the box's first process, which we take hold of by a descriptor, so that its
number can't come to mean another process. The last thing before the program is a shell line that says
it is there, on stdout, and waits for a word on stdin. It gets it when the box's first process has
armed itself to die with us. If we die before that, the shell reads the end of the file and gives up.

Contract: `start` returns when the program has been let go, or raises with what bubblewrap said; then
nothing is left running.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass

from autograder.sandbox.accounting import parent_of, signal_children, state_of
from autograder.sandbox.cgroup import Group
from autograder.sandbox.descriptors import drain, fill, memory_file, pipe, ready
from autograder.sandbox.errors import BoxFailed
from autograder.sandbox.policy import (
    Descriptors,
    Footing,
    argument_bytes,
    bwrap_arguments,
    count_files_command,
    data_contents,
    outer_command,
)
from autograder.sandbox.python import interpreter
from autograder.sandbox.seccomp import filter_program
from autograder.sandbox.spec import BoxSpec
from autograder.sandbox.uids import take_uid

_START_SECONDS = 20.0
_PAUSE_SECONDS = 0.0005
_NS_GET_USERNS = 0xB701


@dataclass(frozen=True)
class Started:
    """A box whose program has been let go. ``held`` is its owner's to close when the box has ended.

    ``process`` is bubblewrap outside it, None where a zygote made the box. Of the descriptors, ``init`` and
    ``monitor`` are of processes: the box's first, and the last of it that can be seen to end. ``status`` is
    the report of how the program ended, ``words`` what was written on stderr. ``line`` leads to an init that
    can take a second program.
    """

    uid: int
    process: subprocess.Popen[bytes] | None
    init_pid: int
    init: int
    monitor: int
    status: int
    words: int
    held: ExitStack
    line: socket.socket | None = None


def start(spec: BoxSpec, footing: Footing, group: Group | None) -> Started:
    """Start the box. Raises HostUnfit or BoxFailed."""
    for bind in spec.binds:
        if not bind.source.exists():
            raise BoxFailed(f"box {spec.name}: there is no {bind.source} to bind at {bind.target}")
    with ExitStack() as kept, ExitStack() as ours, ExitStack() as theirs:
        uid = own_uid(spec, kept) if footing.as_root else os.getuid()
        status, status_writer = pipe(kept, theirs)
        words, words_writer = pipe(kept, theirs)
        arrival, arrival_writer = pipe(ours, theirs)
        gate_reader, gate = pipe(theirs, ours)
        # A program that floods its stderr is refused, and neither stopped nor given memory.
        os.set_blocking(words_writer, False)
        command, passed = _command(spec, footing, group, status_writer, uid, theirs)
        process = _spawn(command, passed, (gate_reader, arrival_writer, words_writer))
        theirs.close()
        try:
            monitor = _hold(process.pid, kept)
            init_pid, init = _first_process(status, process.pid, kept)
            _next_bytes(arrival)
            if group is None:
                _count_files(spec, footing, init_pid)
            _open_gate(gate, init_pid)
        except BaseException as error:
            _abandon(process)
            said = drain(words).decode(errors="replace").strip()
            raise BoxFailed(f"box {spec.name} did not start: {said or error}") from error
        return Started(uid, process, init_pid, init, monitor, status, words, kept.pop_all())


def own_uid(spec: BoxSpec, owner: ExitStack) -> int:
    return take_uid(owner) if spec.uid is None else spec.uid


def _command(
    spec: BoxSpec, footing: Footing, group: Group | None, status: int, uid: int, owner: ExitStack
) -> tuple[list[str], tuple[int, ...]]:
    """The command line and the descriptors it needs, each a file in memory."""
    python = interpreter()
    data = [memory_file(content, owner) for content in data_contents(spec, python)]
    arguments = memory_file(b"", owner)
    seccomp = None if spec.forks else memory_file(box_filter(spec, footing), owner)
    descriptors = Descriptors(seccomp, arguments, status)
    fill(arguments, argument_bytes(bwrap_arguments(spec, footing, python, descriptors, iter(data))))
    entrances = group.entrances if group else ()
    command = outer_command(spec, footing, entrances, descriptors, uid)
    return command, (*descriptors.all(), *data, *spec.pass_fds)


def box_filter(spec: BoxSpec, footing: Footing) -> bytes:
    """The filter on system calls of a box."""
    return filter_program(
        counted=footing.place is not None,
        pinned=bool(spec.cpus),
        loopback=spec.loopback,
        own_uid=footing.as_root,
    )


def _spawn(
    command: list[str], passed: tuple[int, ...], standard: tuple[int, int, int]
) -> subprocess.Popen[bytes]:
    stdin, stdout, stderr = standard
    return subprocess.Popen(  # noqa: S603 - the policy's own words, no shell reads the caller's
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        close_fds=True,
        pass_fds=passed,
        # bubblewrap's first process keeps this environment, where a program can read it.
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        start_new_session=True,
    )


def _hold(pid: int, owner: ExitStack) -> int:
    descriptor = os.pidfd_open(pid)
    owner.callback(os.close, descriptor)
    return descriptor


def _first_process(status: int, monitor_pid: int, owner: ExitStack) -> tuple[int, int]:
    """The box's init as bubblewrap reports it, and a descriptor that is surely of that process."""
    received = b""
    while b"\n" not in received:
        received += _next_bytes(status)
    pid = int(reports(received)[0]["child-pid"])
    init = _hold(pid, owner)
    if parent_of(pid) != monitor_pid:
        raise BoxFailed("the box's first process was gone at once")
    return pid, init


def _count_files(spec: BoxSpec, footing: Footing, init_pid: int) -> None:
    with ExitStack() as owner:
        mounts = os.open(f"/proc/{init_pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        owner.callback(os.close, mounts)
        user = fcntl.ioctl(mounts, _NS_GET_USERNS)
        owner.callback(os.close, user)
        command = count_files_command(spec, footing, mounts, user)
        done = subprocess.run(  # noqa: S603 - the policy's own words
            command,
            pass_fds=(mounts, user),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin"},
            timeout=_START_SECONDS,
        )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise BoxFailed(f"the number of files in a box can't be bounded: {said}")


def _open_gate(gate: int, init_pid: int) -> None:
    """Let the program go once everything before it has been done."""
    # bubblewrap's init sleeps when it waits for its child; what ties it to our life is set before that.
    deadline = time.monotonic() + _START_SECONDS
    while state_of(init_pid) != "S":
        if time.monotonic() > deadline:
            raise BoxFailed(f"bubblewrap's init did not settle in {_START_SECONDS:.0f} seconds")
        time.sleep(_PAUSE_SECONDS)
    os.write(gate, b"\n")


def _next_bytes(descriptor: int) -> bytes:
    if not ready(descriptor, _START_SECONDS):
        raise BoxFailed(f"bubblewrap said nothing for {_START_SECONDS:.0f} seconds")
    received = os.read(descriptor, 4096)
    if not received:
        raise BoxFailed("bubblewrap ended before the program began")
    return received


def _abandon(process: subprocess.Popen[bytes]) -> None:
    """End bubblewrap and its child, which may not be tied to it yet."""
    signal_children(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def reports(text: bytes) -> list[dict[str, int]]:
    """bubblewrap's report, or that of an init like its own (see `entry`): one JSON object a line."""
    return [json.loads(line) for line in text.splitlines() if line.startswith(b"{")]
