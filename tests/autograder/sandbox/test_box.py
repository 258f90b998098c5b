"""The life of a box: its start, its end by whatever means, and what is left of it."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from autograder.sandbox import Bind, BoxFailed, BoxSpec, Cause, HostUnfit, Side, interpreter, open_box
from autograder.sandbox.descriptors import ready
from autograder.sandbox.policy import this_host
from tests.autograder.sandbox.boxes import PATIENCE, SMALL, hear, python_spec, run

WAITS = "say('ready')\nos.read(os.pipe()[0], 1)"


def test_program_that_ends_well() -> None:
    outcome = run("say('hello')")
    assert outcome.said == "hello"
    assert (outcome.ending.side, outcome.ending.cause, outcome.ending.code) == (Side.PROGRAM, Cause.EXITED, 0)


def test_exit_status_is_the_programs() -> None:
    assert run("raise SystemExit(7)", status=7).ending.code == 7


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGTERM])
def test_program_that_ends_by_a_signal(number: signal.Signals) -> None:
    ending = run(f"os.kill(os.getpid(), {int(number)})").ending
    assert (ending.side, ending.cause, ending.signal) == (Side.PROGRAM, Cause.SIGNALLED, number)


def test_killed_box_says_so_and_killing_twice_is_fine() -> None:
    reader, writer = os.pipe()
    with open_box(python_spec(WAITS, writer)) as box:
        os.close(writer)
        assert hear(box, reader) == "ready"
        assert box.running
        assert not box.wait(0)
        with pytest.raises(RuntimeError, match="still running"):
            box.ending()
        box.kill()
        box.kill()
        assert not box.running
        assert box.wait()
        assert box.ending().cause is Cause.KILLED_BY_US
    box.close()
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_grace_lets_a_dying_box_name_its_own_cause() -> None:
    reader, writer = os.pipe()
    with open_box(python_spec("os.kill(os.getpid(), 11)", writer)) as box:
        os.close(writer)
        assert os.read(reader, 1) == b""
        box.kill(grace=PATIENCE)
        assert box.ending().signal == signal.SIGSEGV
    os.close(reader)


def test_box_that_does_not_end_says_so_each_time_and_can_still_be_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    box = open_box(python_spec(WAITS, writer))
    os.close(writer)
    before = open_descriptors()
    held = True
    monkeypatch.setattr(
        "autograder.sandbox.box.ready",
        lambda descriptor, seconds: not (held and descriptor == box._init) and ready(descriptor, seconds),
    )
    for end in (box.kill, box.kill):
        with pytest.raises(BoxFailed, match="outlive SIGKILL"):
            end()
    held = False
    box.close()
    assert box.ending().cause in (Cause.KILLED_BY_US, Cause.SIGNALLED)
    assert len(open_descriptors()) < len(before)
    os.close(reader)


def test_usage_is_plausible_and_stays_after_the_end() -> None:
    code = """
import time
x = bytearray(48 << 20)
while time.process_time() < 0.5: pass
say("ready")
os.read(os.pipe()[0], 1)
"""
    reader, writer = os.pipe()
    with open_box(python_spec(code, writer)) as box:
        os.close(writer)
        assert hear(box, reader) == "ready"
        alive = box.usage()
        box.kill()
        ended = box.usage()
    for usage in (alive, ended, box.usage()):
        assert 0.4 < usage.cpu_seconds < 30
        assert 48 << 20 < usage.peak_bytes <= SMALL.memory_mb << 20
        assert usage.oom_kills == usage.refused_forks == 0
    os.close(reader)


def test_what_the_program_left_running_ends_with_it() -> None:
    code = """
if os.fork() == 0:
    os.setsid()
    say("daemon")
    os.read(os.pipe()[0], 1)
"""
    reader, writer = os.pipe()
    with open_box(python_spec(code, writer)) as box:
        os.close(writer)
        assert box.wait(PATIENCE)
        assert box.ending().code == 0
        assert b"".join(iter(lambda: os.read(reader, 1 << 16), b"")).strip() in (b"daemon", b"")
    os.close(reader)


def test_interrupt_reaches_the_program_and_not_its_children() -> None:
    code = """
import signal
ours, theirs = os.pipe()
if os.fork() == 0:
    signal.signal(signal.SIGINT, lambda *_: say("child"))
    os.read(ours, 1)
    os._exit(0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # it may come before it is waited for
say("ready")
signal.sigwait([signal.SIGINT])
say("interrupted")
"""
    reader, writer = os.pipe()
    with open_box(python_spec(code, writer)) as box:
        os.close(writer)
        assert hear(box, reader) == "ready"
        box.interrupt()
        assert box.wait(PATIENCE)
        assert os.read(reader, 1 << 16) == b"interrupted\n"
        box.interrupt()
    os.close(reader)


def open_descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def test_nothing_of_a_closed_box_is_left() -> None:
    gc.collect()  # a test before this one may have left some
    before = open_descriptors()
    place = this_host().place
    groups = (
        set() if place is None else {path for base in place.bases.values() for path in base.glob("mlsys-*")}
    )
    run("pass")
    assert not open_descriptors() - before
    if place is not None:
        mine = f"-{os.getpid()}-"
        left = {path for base in place.bases.values() for path in base.glob("mlsys-*")} - groups
        assert not [path for path in left if mine in path.name]


def test_many_threads_may_ask_and_kill() -> None:
    reader, writer = os.pipe()
    with open_box(python_spec(WAITS, writer)) as box:
        os.close(writer)
        assert hear(box, reader) == "ready"
        threads = [
            threading.Thread(target=act) for act in (box.wait, box.wait, box.kill, box.kill, box.usage)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert box.ending().cause is Cause.KILLED_BY_US
    os.close(reader)


def test_box_dies_with_the_process_that_opened_it() -> None:
    opener = """
        import os, sys
        from tests.autograder.sandbox.boxes import hear, python_spec
        from autograder.sandbox import open_box
        box = open_box(python_spec("say('ready')\\nos.read(os.pipe()[0], 1)", int(sys.argv[1])))
        os.close(int(sys.argv[1]))
        os.kill(os.getpid(), 9)
    """
    reader, writer = os.pipe()
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(opener), str(writer)], pass_fds=(writer,), check=False
    )
    os.close(writer)
    assert ended.returncode == -signal.SIGKILL
    while os.read(reader, 1 << 16):
        pass  # until end of file: nobody holds the other end
    os.close(reader)


def test_missing_source_of_a_bind_is_said_at_once(tmp_path: Path) -> None:
    spec = BoxSpec(argv=("/bin/true",), limits=SMALL, binds=(Bind(tmp_path / "gone", "/opt/x"),), name="b1")
    with pytest.raises(BoxFailed, match=r"box b1: there is no .*gone to bind at /opt/x"):
        open_box(spec)


def test_box_that_cannot_be_set_up_is_the_boxs_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below_a_file = (Bind(tmp_path / "file", "/opt/x"), Bind(tmp_path / "file", "/opt/x/y"))
    with pytest.raises(BoxFailed, match=r"box test did not start: bwrap: .*/opt/x"):
        run("say('ran')", binds=below_a_file)


def test_wrong_name_of_a_hidden_package_is_refused() -> None:
    for name in ("numpy.linalg", "../secrets", "*", "", "torch-cpu"):
        with pytest.raises(ValueError, match="not the name of a package"):
            open_box(BoxSpec(argv=("/bin/true",), limits=SMALL, hide=(name,)))


def test_environment_that_contains_the_platform_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import autograder.sandbox.python as module

    (tmp_path / "pyvenv.cfg").write_text("")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "autograder" / "sandbox" / "python.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(HostUnfit, match="the platform's own source lies in it"):
        interpreter()


def test_prefix_that_is_no_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(HostUnfit, match="not a Python installation"):
        interpreter()
