"""The turnstile between two real sockets and a real box: strict turns, all of each counted, nothing in between."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from autograder.sandbox import DEFAULT_LIMITS, Box, BoxSpec, interpreter, open_box
from autograder.sandbox.accounting import descendants, state_of
from autograder.sandbox.cgroup import group_cpu
from autograder.sandbox.frames import HEADER
from autograder.sandbox.policy import this_host
from autograder.sandbox.turnstile import (
    LONG_STRAY_NANOSECONDS,
    STRAY_NANOSECONDS,
    STRAYS_FORGIVEN,
    TURN,
    Meter,
    OutOfTurn,
    State,
    Turn,
    Turnstile,
    process_cpu,
    start_turnstile,
    state_of_process,
)

# Runs what it is sent. ``reply`` is for code that speaks out of turn; its turn's own answer comes by itself.
PROGRAM = """
import gc, os, signal, socket, struct, sys, threading, time
line = socket.socket(fileno={descriptor})
def reply(words):
    words = str(words).encode()
    line.sendall(struct.pack("<II", len(words), 0) + words)
def burn(seconds, clock=time.thread_time):
    end = clock() + seconds
    while clock() < end: pass
def child(work):
    if os.fork() == 0:
        try: work()
        finally: os._exit(0)
reply("ready")
while True:
    size, _ = struct.unpack("<II", line.recv(8, socket.MSG_WAITALL))
    code = line.recv(size, socket.MSG_WAITALL).decode()
    said = ""
    exec(code)
    reply(said)
"""
MILLISECOND = 1_000_000
GROUPED = pytest.mark.skipif(this_host().place is None, reason="needs control groups")
LIMITS = replace(DEFAULT_LIMITS, memory_mb=256, processes=64, cpu_seconds=60)


class Judge:
    """The judge's end."""

    def __init__(self, line: socket.socket, box: Box, program: subprocess.Popen[bytes]) -> None:
        self.line = line
        self.box = box
        self.program = program

    def ask(self, code: str) -> tuple[Turn, str]:
        self.line.sendall(HEADER.pack(len(code), 0) + code.encode())
        return self.hear()

    def hear(self) -> tuple[Turn, str]:
        turn = Turn.unpack(self.exactly(TURN.size))
        size, _ = HEADER.unpack(self.exactly(HEADER.size))
        return turn, self.exactly(size).decode()

    def exactly(self, size: int) -> bytes:
        got = self.line.recv(size, socket.MSG_WAITALL)
        if len(got) < size:
            raise ConnectionResetError
        return got

    def processes(self) -> list[int]:
        return [pid for pid in descendants(self.box.init_pid) if pid != self.box.init_pid]

    def cut_off(self, code: str = "") -> bool:
        """Whether this turn, which the box gets or not, is its last."""
        with contextlib.suppress(ConnectionResetError):
            self.ask(code)
            return False
        self.program.wait(60)
        return True


@contextlib.contextmanager
def judging(program: str = PROGRAM, shared: int | None = None, **changes: Any) -> Iterator[Judge]:
    ours, inside = socket.socketpair()
    far, near = socket.socketpair()
    with ours, far, contextlib.ExitStack() as owned:
        with near, inside:
            spec = BoxSpec(
                argv=(interpreter().executable, "-c", program.format(descriptor=inside.fileno())),
                limits=LIMITS,
                pass_fds=(inside.fileno(),) if shared is None else (inside.fileno(), shared),
                name="turns",
            )
            box = owned.enter_context(open_box(replace(spec, **changes)))
            inside.close()
            turns = start_turnstile(near.fileno(), ours.fileno(), box.init_pid, box.meters, set())
        owned.callback(turns.wait)
        owned.callback(turns.terminate)
        ours.close()
        far.settimeout(60)
        judge = Judge(far, box, turns)
        assert judge.hear()[1] == "ready"
        yield judge


def standing(pids: list[int]) -> bool:
    return all(state_of_process(pid) is not State.RUNS for pid in pids)


def test_all_of_a_box_stands_between_its_turns() -> None:
    with judging() as judge:
        judge.ask("threading.Thread(target=burn, args=(60,), daemon=True).start(); child(lambda: burn(60))")
        for _ in range(5):
            assert len(judge.processes()) == 2 and standing(judge.processes())
            judge.ask("")


@pytest.mark.parametrize(
    "work",
    [
        "burn(0.05)",
        "thread = threading.Thread(target=burn, args=(0.05,)); thread.start(); thread.join()",
        "child(lambda: burn(0.05)); os.wait()",
        "child(lambda: (os.nice(19), burn(9))); child(lambda: burn(0.05)); os.wait()",
    ],
    ids=["itself", "thread", "child", "child beside one that gives way"],
)
def test_a_turn_is_no_shorter_than_the_work_done_in_it(work: str) -> None:
    cpu = (max(os.sched_getaffinity(0)),)
    with judging(cpus=cpu) as judge:
        turn, _ = judge.ask(work)
        assert turn.nanoseconds >= 50 * MILLISECOND
        assert turn.wall >= 50 * MILLISECOND


@GROUPED
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_work_on_several_cores_counts_together() -> None:
    with judging() as judge:
        turn, _ = judge.ask("for _ in range(3): child(lambda: burn(0.05))\nfor _ in range(3): os.wait()")
        assert turn.nanoseconds >= turn.cpu >= 150 * MILLISECOND


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline


def test_a_box_that_runs_out_of_its_turn_is_cut_off() -> None:
    with judging() as judge:
        judge.ask("child(lambda: burn(60))")
        (pid,) = [each for each in judge.processes() if each != judge.processes()[0]]
        before = process_cpu(pid)
        os.kill(pid, signal.SIGCONT)
        until(lambda: process_cpu(pid) > before + 2 * LONG_STRAY_NANOSECONDS)
        assert judge.cut_off()


def test_a_few_moments_out_of_turn_are_counted_in_the_next_one_and_end_nothing() -> None:
    """A host that takes a core away makes them; a program that makes more of them is cut off."""
    with judging() as judge:
        judge.ask("child(lambda: [(burn(0.004), os.kill(os.getpid(), signal.SIGSTOP)) for _ in range(99)])")
        pid = judge.processes()[-1]

        def run_for_a_moment() -> None:
            wanted = process_cpu(pid) + max(4 * MILLISECOND, STRAY_NANOSECONDS)
            while process_cpu(pid) <= wanted:  # a turn may have stopped it in the middle of a moment
                os.kill(pid, signal.SIGCONT)
                until(lambda: state_of_process(pid) is State.STANDS)
            until(lambda: state_of_process(pid) is State.STANDS)

        for _ in range(STRAYS_FORGIVEN):
            run_for_a_moment()
            turn, _ = judge.ask("")
            assert turn.nanoseconds >= turn.cpu >= 4 * MILLISECOND
        run_for_a_moment()
        assert judge.cut_off()


@GROUPED
def test_what_ran_out_of_its_turn_and_is_gone_is_seen_all_the_same() -> None:
    with judging() as judge:
        # It begins when it is told to, out of its turn, however long that turn took.
        judge.ask("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])")
        judge.ask("child(lambda: (signal.sigwait([signal.SIGUSR1]), burn(0.2)))")
        pid = judge.processes()[-1]
        os.kill(pid, signal.SIGUSR1)
        os.kill(pid, signal.SIGCONT)
        until(lambda: state_of_process(pid) in (State.STANDS, State.GONE))
        assert judge.cut_off()


def test_an_answer_before_its_question_is_the_last() -> None:
    with judging() as judge:
        # Both in one piece: who is stopped between two has the second still to send, in its next turn.
        judge.ask("line.sendall(2 * (struct.pack('<II', 1, 0) + b'1'))")
        assert judge.cut_off()


def test_half_an_answer_before_its_question_is_the_last() -> None:
    with judging() as judge:
        judge.ask("line.sendall(struct.pack('<II', 1, 0) + b'1x'); time.sleep(60)")  # in one piece, as above
        assert judge.cut_off()


@pytest.mark.parametrize("lengths", ["<II', 1 << 31, 0", "<II', 0, 1 << 31"])
def test_a_frame_that_claims_too_much_is_the_last(lengths: str) -> None:
    with judging() as judge:
        assert judge.cut_off(f"line.sendall(struct.pack('{lengths})); time.sleep(60)")


def test_a_box_that_dies_in_its_turn_is_seen() -> None:
    with judging() as judge:
        assert judge.cut_off("os._exit(0)")


def test_a_box_that_hangs_up_is_seen() -> None:
    with judging() as judge:
        assert judge.cut_off("line.close(); time.sleep(60)")


@pytest.mark.parametrize("code", ["", "time.sleep(60)"], ids=["between turns", "in a turn"])
def test_a_judge_that_goes_away_ends_it(code: str) -> None:
    with judging() as judge:
        if code:
            judge.line.sendall(HEADER.pack(len(code), 0) + code.encode())
        judge.line.close()
        judge.program.wait(60)


def test_peak_is_that_of_the_turn() -> None:
    with judging() as judge:
        high, _ = judge.ask("x = bytearray(64 << 20); del x")
        low, _ = judge.ask("x = bytearray(1 << 20); del x")
        assert high.peak - high.resident > 60 << 20
        assert 0 <= low.peak - low.resident < 30 << 20


@GROUPED
def test_memory_of_a_child_that_is_gone_is_seen() -> None:
    with judging() as judge:
        turn, _ = judge.ask("child(lambda: bytearray(64 << 20)); os.wait()")
        assert turn.grown > 60 << 20


# Each runs on in processes of its own, and writes as long as it runs.
CHASE = """
def chase():
    while os.fork() == 0: os.write({diary}, b".")
child(chase)
"""
VFORK = """
import subprocess
write = "import os\\nwhile True: os.write({diary}, b'.')"
child(lambda: subprocess.run([sys.executable, "-c", write], pass_fds=[{diary}]))
"""
RUNAWAYS = pytest.mark.parametrize("code", [CHASE, VFORK], ids=["a chain of forks", "parents that wait"])


def assert_that_turns_end(code: str, *, boxes: int) -> None:
    """Nothing of the program's runs between two turns. States don't tell: who wakes in the kernel to be stopped
    is running for a moment, as is a child that is born stopped."""
    with os.fdopen(os.memfd_create("diary"), "rb") as diary:
        for _ in range(boxes):
            with judging(shared=diary.fileno()) as judge, contextlib.suppress(ConnectionResetError):
                for turn in range(10):
                    judge.ask(code.format(diary=diary.fileno()) if turn < 3 else "")
                    written = os.fstat(diary.fileno()).st_size
                    for _ in range(10):
                        judge.processes()
                    assert os.fstat(diary.fileno()).st_size == written


@RUNAWAYS
def test_no_process_escapes_the_end_of_a_turn(code: str) -> None:
    assert_that_turns_end(code, boxes=10)


@contextlib.contextmanager
def forks_that_take_long() -> Iterator[None]:
    """Moves a process between two control groups, again and again. All forks of the host wait for each move,
    uninterruptibly."""
    place = this_host().place
    assert place is not None
    ended = threading.Event()
    groups = [place.make(1 << 30, 64) for _ in range(2)]

    def move(pid: int) -> None:
        while not ended.is_set():
            for group in groups:
                group.entrances[-1].write_text(str(pid))

    with subprocess.Popen(["sleep", "600"]) as moved:
        mover = threading.Thread(target=move, args=(moved.pid,))
        mover.start()
        try:
            yield
        finally:
            ended.set()
            mover.join()
            moved.kill()
            moved.wait()
            for group in groups:
                group.remove()


@GROUPED
@RUNAWAYS
def test_no_process_escapes_by_a_fork_that_outlives_its_turn(code: str) -> None:
    with forks_that_take_long():
        assert_that_turns_end(code, boxes=20)


class Hiding(Meter):
    """A meter whose first looks overlook a process, as one does that gets another parent meanwhile."""

    def __init__(self, pids: list[int], looks: int) -> None:
        super().__init__(os.getpid())
        self.pids = pids
        self.looks = looks

    def processes(self) -> list[int]:
        self.looks -= 1
        return self.pids[1:] if self.looks >= 0 else self.pids


@pytest.mark.parametrize("looks", [0, 1])
def test_a_process_overlooked_once_is_found(looks: int) -> None:
    spin = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(spin) as one, subprocess.Popen(spin) as other:
        try:
            os.kill(other.pid, signal.SIGSTOP)
            until(lambda: standing([other.pid]))
            left, right = socket.socketpair()
            with left, right:
                Turnstile(left, right, Hiding([one.pid, other.pid], looks)).stop(told={other.pid})
            assert standing([one.pid, other.pid])
        finally:
            one.kill()
            other.kill()


def test_a_process_that_never_stands_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sandbox.turnstile.STOP_SECONDS", 0.0)
    monkeypatch.setattr("autograder.sandbox.turnstile.state_of_process", lambda pid: State.RUNS)
    with subprocess.Popen(["sleep", "60"]) as one:
        left, right = socket.socketpair()
        with left, right, pytest.raises(OutOfTurn, match="stopped"):
            Turnstile(left, right, Hiding([one.pid], 0)).stop()
        one.kill()


HONEST = {
    "a thread that sleeps": "threading.Thread(target=lambda: [time.sleep(0.0005) for _ in range(10**6)], daemon=True).start()",
    "threads that wait for each other": """
ready, pipe = threading.Event(), os.pipe()
for _ in range(8): threading.Thread(target=ready.wait, daemon=True).start()
threading.Thread(target=os.read, args=(pipe[0], 1), daemon=True).start()
""",
    "rubbish to collect": "gc.set_threshold(10); said = len([[i, [i]] for i in range(20000)])",
    "children that wait": "for _ in range(5): child(lambda: time.sleep(60))",
    "a timer": "signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)",
    "a pool of threads": "from concurrent.futures import ThreadPoolExecutor as P; p = P(4); list(p.map(burn, [0.001] * 8))",
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_programs_are_never_cut_off(name: str) -> None:
    with judging() as judge:
        judge.ask(HONEST[name])
        for _ in range(30):
            judge.ask("burn(0.001)")


LIBRARIES = """
import numpy as np, torch
torch.set_num_threads(4)
x, y = np.random.rand(300, 300), torch.rand(300, 300)
"""


@pytest.mark.slow
def test_thread_pools_of_libraries_are_never_cut_off() -> None:
    several = {f"{name}_NUM_THREADS": "4" for name in ("OMP", "OPENBLAS", "MKL")}
    with judging(env=several, limits=replace(LIMITS, memory_mb=1024)) as judge:
        judge.ask(LIBRARIES)
        for _ in range(30):
            judge.ask("x @ x; y @ y; torch.sort(y)")


def test_a_turn_survives_the_wire() -> None:
    turn = Turn(*range(struct.calcsize(TURN.format) // 8))
    assert Turn.unpack(turn.pack()) == turn


@GROUPED
def test_a_box_uses_nothing_between_its_turns() -> None:
    with judging() as judge:
        judge.ask("threading.Thread(target=burn, args=(60,), daemon=True).start()")
        until(lambda: state_of(judge.box.init_pid) == "S")  # it wakes for a moment when its program is stopped
        group = judge.box.meters[0]
        before = group_cpu(group)
        busy = time.thread_time() + 0.05
        while time.thread_time() < busy:
            pass
        assert group_cpu(group) - before < MILLISECOND
