"""Each limit of a box, reached by a program that means to."""

# ruff: noqa: S108 - the paths are a box's own

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from autograder.sandbox import Cause, Scratch, Side
from autograder.sandbox.policy import this_host
from tests.autograder.sandbox.boxes import PATIENCE, SMALL, hear, opened, run

pytestmark = pytest.mark.usefixtures("warmth")

GROUPED = this_host().place is not None
grouped = pytest.mark.skipif(not GROUPED, reason="needs control groups")


def test_memory_beyond_the_limit_is_not_given() -> None:
    outcome = run("x = bytearray(512 << 20)\nsay('given')", status=1)
    assert outcome.said == ""
    assert outcome.ending.side is Side.PROGRAM
    if GROUPED:
        assert outcome.ending.cause is Cause.MEMORY
        assert outcome.usage.oom_kills >= 1
        assert outcome.usage.peak_bytes >= 0.9 * (SMALL.memory_mb << 20)


@grouped
def test_memory_of_all_processes_counts_together() -> None:
    """Each child takes less than the limit, all of them more."""
    code = """
for _ in range(8):
    if os.fork() == 0:
        x = bytearray(40 << 20)
        os.read(os.pipe()[0], 1)
os.waitpid(-1, 0)
say("one was ended")
"""
    outcome = run(code)
    assert outcome.said == "one was ended"
    assert outcome.usage.oom_kills >= 1
    # The program itself went on to its end.
    assert outcome.ending.cause is Cause.EXITED


@grouped
def test_memory_in_files_without_names_counts_too() -> None:
    code = """
held = []
for number in range(512):
    held.append(os.memfd_create(str(number)))
    os.write(held[-1], bytes(1 << 20))
say("given")
"""
    outcome = run(code)
    assert outcome.said == ""
    assert outcome.ending.cause is Cause.MEMORY


@pytest.mark.skipif(GROUPED, reason="where a group counts them they are allowed")
def test_files_in_memory_are_refused_where_nothing_counts_them() -> None:
    assert (
        run("try:\n    os.memfd_create('x')\nexcept PermissionError:\n    say('refused')").said == "refused"
    )


def test_processes_beyond_the_limit_are_refused() -> None:
    code = """
started = 0
try:
    while True:
        if os.fork() == 0:
            os.read(os.pipe()[0], 1)
        started += 1
except BlockingIOError:
    say(started)
raise SystemExit(1)
"""
    outcome = run(code, status=1)
    assert 8 <= int(outcome.said) <= SMALL.processes
    if GROUPED:
        assert outcome.usage.refused_forks >= 1
        assert outcome.ending.cause is Cause.PROCESSES


def test_threads_count_as_processes() -> None:
    code = """
import threading
wait = threading.Event().wait
try:
    for _ in range(1000):
        threading.Thread(target=wait, daemon=True).start()
    say("given")
except RuntimeError:
    say("refused")
os._exit(0)
"""
    assert run(code).said == "refused"


def test_fork_bomb_is_gone_after_the_kill() -> None:
    code = """
say("ready")
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
    reader, writer = os.pipe()
    with opened(code, writer) as box:
        assert hear(box, reader).startswith("ready")
        box.kill()
        assert box.ending().cause is Cause.KILLED_BY_US
    # End of file: nothing that held the other end is left.
    while os.read(reader, 1 << 16):
        pass
    os.close(reader)


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_folders_in_memory_are_full_at_their_size(folder: str) -> None:
    code = f"""
written = 0
try:
    for number in range(64):
        open("{folder}/" + str(number), "wb").write(bytes(1 << 20))
        written += 1
except OSError as error:
    say(error.errno, written)
"""
    number, megabytes = map(int, run(code).said.split())
    assert number == 28  # ENOSPC
    assert megabytes <= SMALL.tmp_mb


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/run/x"])
def test_files_without_bytes_are_bounded_too(folder: str) -> None:
    """Each takes a kilobyte of the kernel's memory: a group counts that, and else their number is bounded."""
    code = f"""
made = 0
try:
    while made < 1000000:
        os.close(os.open("{folder}/" + str(made), os.O_CREAT | os.O_WRONLY))
        made += 1
except OSError as error:
    say(error.errno, made < 40000)
"""
    outcome = run(code, scratch=(Scratch("/run/x", kb=64),))
    if GROUPED:
        assert outcome.ending.cause is Cause.MEMORY
    else:
        assert outcome.said == "28 True"


def test_folders_a_hundred_thousand_deep_are_gone_with_their_box() -> None:
    code = """
os.chdir("/tmp")
made = 0
try:
    while made < 100000:
        os.mkdir("d")
        os.chdir("d")
        made += 1
except OSError:
    pass
say(made >= 30000)
"""
    outcome = run(code)  # which raises where anything of the box is left
    assert (outcome.said, outcome.ending.cause) == ("True", Cause.EXITED)


def test_names_that_were_looked_up_in_vain_end_no_box() -> None:
    """The kernel remembers each of them, and forgets them when the box is at its limit."""
    outcome = run("for n in range(100000): os.path.exists('/usr/lib/' + str(n))\nsay('done')")
    assert (outcome.said, outcome.usage.oom_kills) == ("done", 0)


def test_folders_of_a_box_hold_no_set_uid_programs_and_no_devices() -> None:
    code = """
for line in open("/proc/self/mountinfo"):
    fields = line.split()
    if fields[4] in ("/tmp", "/dev/shm", "/run/x"):
        say(fields[4], {"nosuid", "nodev"} <= set(fields[5].split(",")))
"""
    said = run(code, scratch=(Scratch("/run/x", kb=64),)).said
    assert sorted(said.splitlines()) == ["/dev/shm True", "/run/x True", "/tmp True"]


@grouped
def test_buffers_of_a_servers_connections_count_too() -> None:
    """What the whole host has for TCP would be one box's in a second, if nothing counted it."""
    code = """
import socket
listening, held, sent = socket.create_server(("127.0.0.1", 0)), [], 0
try:
    for _ in range(200):
        held.append((socket.create_connection(listening.getsockname()), listening.accept()[0]))
        for end in held[-1]:
            end.setblocking(False)
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, option, 1 << 22)
        try:
            while True:
                sent += held[-1][0].send(bytes(1 << 16))
        except BlockingIOError:
            pass
except OSError:
    pass
say(sent >> 20)
"""
    outcome = run(code, loopback=True)
    assert outcome.ending.cause is Cause.MEMORY or int(outcome.said) <= SMALL.memory_mb


@grouped
def test_swap_counts_with_memory() -> None:
    place = this_host().place
    assert place is not None
    group = place.make(memory_bytes=64 << 20, processes=4)
    try:
        name = "memory.memsw.limit_in_bytes" if place.version == 1 else "memory.swap.max"
        folder = next(iter(group.entrances)).parent
        if not (folder / name).exists():
            pytest.skip("this kernel doesn't count swap; the doctor says so where there is any")
        assert int((folder / name).read_text()) == (64 << 20 if place.version == 1 else 0)
    finally:
        group.remove()


def test_file_beyond_its_size_is_refused() -> None:
    code = """
try:
    open("/tmp/big", "wb", buffering=0).write(bytes(3 << 20))
    say(os.path.getsize("/tmp/big"))
    open("/tmp/big", "ab", buffering=0).write(b"x")
except OSError as error:
    say(error.errno)
"""
    assert run(code).said.splitlines() == [str(SMALL.file_mb << 20), "27"]  # EFBIG


def test_cpu_seconds_end_the_program() -> None:
    outcome = run("while True: pass", limits=replace(SMALL, cpu_seconds=1))
    assert outcome.ending.cause is Cause.CPU
    assert outcome.ending.side is Side.PROGRAM


@pytest.mark.slow
def test_cpu_seconds_end_a_program_that_ignores_the_signal() -> None:
    code = """
import signal
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
say("ignoring")
while True: pass
"""
    outcome = run(code, limits=replace(SMALL, cpu_seconds=1))
    assert outcome.ending.cause is Cause.CPU
    # A very slow machine ends it before it gets that far.
    assert outcome.said == "" or outcome.ending.signal == 9


def test_limits_cannot_be_raised_from_inside() -> None:
    code = """
import resource
for name in ("RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_CORE"):
    which = getattr(resource, name)
    soft, hard = resource.getrlimit(which)
    try:
        resource.setrlimit(which, (hard + 1, hard + 1))
        say("raised", name)
    except (ValueError, PermissionError):
        pass
say(resource.getrlimit(resource.RLIMIT_CORE)[1])
"""
    assert run(code).said == "1"


def test_flood_on_standard_output_and_error_goes_nowhere() -> None:
    code = """
for _ in range(64):
    os.write(1, bytes(1 << 20))
    os.write(2, bytes(1 << 20))
say("done")
"""
    outcome = run(code)
    assert outcome.said == "done"
    assert outcome.diagnosis == ""


def test_flood_under_diagnosis_is_refused_and_capped() -> None:
    code = """
try:
    while True:
        os.write(2, b"x" * 4096)
except BlockingIOError:
    say("refused")
"""
    outcome = run(code, diagnose=True)
    assert outcome.said == "refused"
    assert 0 < len(outcome.diagnosis) <= 1 << 16


def test_patience_is_enough() -> None:
    """The tests' own deadline must not be what ends a program."""
    assert SMALL.cpu_seconds < PATIENCE
