"""Counting what a process does, from outside; no count where the host has none."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from autograder.sandbox import counters
from autograder.sandbox.accounting import state_of, threads_of
from autograder.sandbox.counters import INSTRUCTIONS, TASK_CLOCK, Counter, Instructions, attach, refusal

WORKER = """
import subprocess, sys, threading
def work():
    return sum(i * i for i in range(300_000))
def listen():
    for line in iter(other.readline, ""):
        work()
        print("thread", flush=True)
import os
reader, writer = os.pipe()
other = os.fdopen(reader)
threading.Thread(target=listen, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    if line == "work\\n":
        work()
        print("worked", flush=True)
    if line == "thread\\n":
        os.write(writer, b"go\\n")
    if line == "child\\n":
        subprocess.run([sys.executable, "-S", "-c", "sum(i * i for i in range(3_000_000))"])
        print("child", flush=True)
    if line == "rest\\n":
        print("rested", flush=True)
"""


def not_counted() -> bool:
    try:
        os.close(attach(0, TASK_CLOCK))
    except OSError:
        return True
    return False


ATTACHES = pytest.mark.skipif(not_counted(), reason="this kernel forbids perf_event_open")


@contextlib.contextmanager
def worker() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WORKER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def ask(process: subprocess.Popen[str], what: str) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    assert process.stdout.readline()


def counted(counter: Counter) -> int:
    number = counter.read()
    assert number is not None
    return number


@ATTACHES
@pytest.mark.parametrize("what", ["work", "thread", "child"])
def test_work_counts_wherever_the_process_does_it(what: str) -> None:
    """In the thread that was there, in one beside it, in a process that is started and has ended."""
    with worker() as process, Counter(process.pid, TASK_CLOCK) as counter:
        ask(process, what)
        worked = counted(counter)
        counter.reset()
        ask(process, "rest")
        assert 0 <= counted(counter) < worked
        ask(process, what)
        assert counted(counter) > 0


@ATTACHES
def test_a_process_below_counts_too() -> None:
    """As in a box, whose first process is not the one that works."""
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WORKER!r}])"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with Counter(process.pid, TASK_CLOCK) as counter:
            ask(process, "work")
            assert counted(counter) > 0
        assert process.stdin is not None
        process.stdin.close()


@ATTACHES
def test_another_process_does_not_count() -> None:
    with worker() as idle, worker() as busy:
        while any(state_of(idle.pid, thread) != "S" for thread in threads_of(idle.pid)):
            pass  # it has said that it is ready, and waits in a moment
        with Counter(idle.pid, TASK_CLOCK) as counter:
            ask(busy, "work")
            assert counted(counter) == 0


@ATTACHES
def test_count_is_kept_when_the_process_has_ended() -> None:
    with worker() as process, Counter(process.pid, TASK_CLOCK) as counter:
        ask(process, "work")
        process.kill()
        process.wait()
        assert counted(counter) > 0


def test_instructions_rise_with_work_or_are_none() -> None:
    with worker() as process, Instructions(process.pid) as instructions:
        ask(process, "work")
        once = instructions.read()
        if refusal() is not None:
            assert once is None
            return
        assert once is not None
        assert once > 300_000
        instructions.reset()
        for _ in range(3):
            ask(process, "work")
        assert counted(instructions) > 2 * once


@pytest.mark.parametrize("event", [INSTRUCTIONS, TASK_CLOCK])
def test_process_that_does_not_exist_has_no_count(event: counters.Event) -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    with Counter(gone.pid, event) as counter:
        counter.reset()
        assert counter.read() is None


def test_machine_without_the_call_has_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert refusal() == "no perf_event_open for riscv64"
    with Instructions(os.getpid()) as instructions:
        assert instructions.read() is None


def test_closed_counter_counts_no_more_and_leaves_no_descriptor() -> None:
    counter = Counter(os.getpid(), TASK_CLOCK)
    held = list(counter.descriptors)
    counter.close()
    counter.close()
    assert counter.read() is None
    for descriptor in held:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


@ATTACHES
def test_counter_that_was_lent_out_is_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    with Counter(os.getpid(), TASK_CLOCK) as counter:
        assert counter.read() is not None
        lent = counters.COUNTED.pack(5000, 100, 50)
        monkeypatch.setattr("os.read", lambda descriptor, size: lent)
        assert counter.read() is None
