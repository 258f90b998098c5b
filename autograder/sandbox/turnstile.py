"""The turnstile: a box runs only while it owes an answer, and each of its turns is measured from outside.

Contract: ``python -m autograder.sandbox.turnstile JUDGE BOX INIT [CPU MEMORY]`` passes frames between two
sockets, the judge's and a box's, in strict turns (CPU and MEMORY are the box's control groups).
A frame of the judge's lets the box go on, the box's whole answer stops it again. What is passed to the judge
has a ``Turn`` before it. The program ends when either side is gone, and leaves a box that is ending alone;
it ends with OUT_OF_TURN where a box can't be kept to its turns.

Theory of operation. Between its turns every process of the box is stopped (SIGSTOP, which no program can
refuse), so it computes nothing ahead, nothing late, and nothing while the other box of a race runs; what
reads no time and no input before its turn can't know which turn counts. A program may arrange that it is
continued (a timer that sends SIGCONT); the kernel counts what it used then, and the turnstile breaks with it.

The time of a turn is the wall clock's, from the moment the box is let go to the moment all of it is stopped
again, without the time for which the kernel made its threads, or this program, wait for a core. It is never
less than the CPU time that the box's control group used, since one can make one's own threads wait for each
other. Where there is no control group it is the wall clock's alone. What a box used out of its turn, and got
away with, is added to its next one.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import astuple, dataclass
from enum import Enum, auto
from pathlib import Path

from autograder.sandbox.accounting import descendants, memory_of, state_of, threads_of
from autograder.sandbox.cgroup import group_cpu
from autograder.sandbox.counters import Instructions
from autograder.sandbox.frames import HEADER, MAX_BODY, MAX_TAIL

TURN = struct.Struct("<7q")
STOPPED = frozenset("TtZX")
UNINTERRUPTIBLE = "D"
STOP_SECONDS = 30.0  # more than a host takes its cores away for: then it isn't the box that won't stop
# What is noted, what ends a race at once, and how often less does not. The box's init wakes for a moment when
# its program is stopped; where the host takes the core away just then, it may seem to have run for as long.
STRAY_NANOSECONDS, LONG_STRAY_NANOSECONDS, STRAYS_FORGIVEN = 2_000_000, 20_000_000, 3
OUT_OF_TURN = 3  # its exit status then; 0 where a side is gone, any other where the program itself failed
_CHUNK = 1 << 20
_RESET_PEAK = "5"


@dataclass(frozen=True)
class Turn:
    """What one turn of a box used. ``nanoseconds`` is what a race counts; ``wall`` is the clock's own.

    ``resident`` are the bytes in memory before the turn, ``peak`` the most in it, of the processes that
    were there at its end. ``grown`` are the bytes by which the control group's memory rose at the most, with
    those of processes that came and went; 0 where the host doesn't say. ``instructions`` are -1 where the
    host doesn't count them.
    """

    nanoseconds: int
    wall: int
    cpu: int
    resident: int
    peak: int
    grown: int
    instructions: int

    def pack(self) -> bytes:
        return TURN.pack(*astuple(self))

    @classmethod
    def unpack(cls, raw: bytes | bytearray) -> Turn:
        return cls(*TURN.unpack(raw))


class Gone(Exception):
    """A side is gone, or speaks nonsense."""


class OutOfTurn(Exception):
    """The box can't be kept to its turns."""


class Meter:
    """What a box has used, as the kernel counts it. ``group`` is the folder of its control group's
    CPU counter, None where it has no group, and ``memory`` that of its memory counters."""

    def __init__(self, init: int, group: Path | None = None, memory: Path | None = None) -> None:
        self.init = init
        self.group = group
        self.memory = GroupMemory(memory) if memory else None

    def leads_its_session(self) -> bool:
        """Whether the box's init does: no process group of the box's has a process from outside then."""
        try:
            return os.getsid(self.init) == self.init
        except ProcessLookupError:
            return False

    def processes(self) -> list[int]:
        """The box's, without its init, which runs nothing of the program's."""
        return [pid for pid in descendants(self.init) if pid != self.init]

    def cpu(self) -> int:
        """CPU nanoseconds so far, of the whole box or, without a group, of what lives in it."""
        if self.group is not None:
            return group_cpu(self.group)
        return sum(map(process_cpu, self.processes()))

    def waited(self) -> int:
        """Nanoseconds for which its threads, or this one, could have run, and others had the core."""
        own = thread_wait(os.getpid(), threading.get_native_id())
        return own + sum(thread_wait(pid, tid) for pid in self.processes() for tid in threads_of(pid))

    def resident(self) -> int:
        return sum(memory_of(pid, "VmRSS") for pid in self.processes())

    def peak(self) -> int:
        return sum(memory_of(pid, "VmHWM") for pid in self.processes())

    def forget_peak(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)


class GroupMemory:
    """The memory of a control group: its rise since ``mark``. Version 2 forgets a peak from Linux 6.12 on;
    before, a rise that stays below an earlier peak isn't seen."""

    def __init__(self, folder: Path) -> None:
        first = (folder / "memory.usage_in_bytes").exists()
        self.now = folder / ("memory.usage_in_bytes" if first else "memory.current")
        self.most = folder / ("memory.max_usage_in_bytes" if first else "memory.peak")
        self.file = os.open(self.most, os.O_RDWR) if os.access(self.most, os.W_OK) else None
        self.before = 0

    def mark(self) -> None:
        if self.file is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self.file, b"0", 0)
        self.before = int(self.now.read_text())

    def rise(self) -> int:
        if self.file is not None:
            return max(0, int(os.pread(self.file, 64, 0)) - self.before)
        return max(0, int(self.now.read_text()) - self.before)


def process_cpu(pid: int) -> int:
    """CPU nanoseconds of a process, its ended threads with it; 0 for one that is gone."""
    with contextlib.suppress(OSError):
        # The number of a process's own clock (man 3 clock_getcpuclockid); Python has no name for it.
        return time.clock_gettime_ns(~pid << 3 | 2)
    return 0


def thread_wait(pid: int, tid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/task/{tid}/schedstat").read_text().split()[1])
    return 0


@contextlib.contextmanager
def held(pids: Iterable[int]) -> Iterator[dict[int, int]]:
    """Descriptors of processes, by number: a number may come to mean another process, of anybody's, in a turn
    that forks long enough."""
    with contextlib.ExitStack() as owned:
        found = {}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                found[pid] = os.pidfd_open(pid)
                owned.callback(os.close, found[pid])
        yield found


def signal_all(descriptors: Iterable[int], number: int) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)


def signal_groups(pids: Iterable[int], number: int) -> None:
    """Signals the process groups of these. A child that one of them is making just now is born with it."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(os.getpgid(pid), number)


class Turnstile:
    """The relay between ``judge`` and ``box``."""

    def __init__(self, judge: socket.socket, box: socket.socket, meter: Meter) -> None:
        self.judge = judge
        self.box = box
        self.meter = meter
        self.counter: Instructions | None = None
        self.cpu = 0
        self.waited = 0
        self.strays = 0
        self.asleep: set[int] = set()  # what stands in the kernel, uninterruptible, between two turns

    def serve(self) -> None:
        """The box speaks first; then one frame each, until a side is gone."""
        greeting = self.read(self.box, other=self.judge)
        self.stop()
        self.cpu = self.meter.cpu()
        self.counter = Instructions(self.meter.init)
        self.pass_on(greeting, Turn(0, 0, 0, self.meter.resident(), 0, 0, -1))
        while True:
            asked = self.read(self.judge, other=self.box)
            self.pass_on(*self.turn(asked))

    def turn(self, asked: list[bytes]) -> tuple[list[bytes], Turn]:
        """Lets the box answer one frame."""
        if select.select([self.box], [], [], 0)[0]:
            raise Gone("an answer that was there before its question")
        stray = self.meter.cpu() - self.cpu
        self.strays += stray > STRAY_NANOSECONDS
        if self.strays > STRAYS_FORGIVEN or stray > LONG_STRAY_NANOSECONDS:
            raise OutOfTurn("it ran out of its turn")
        resident = self.meter.resident()
        self.meter.forget_peak()
        if self.meter.memory:
            self.meter.memory.mark()
        if self.counter:
            self.counter.reset()
        self.waited = self.meter.waited()
        with held(self.meter.processes()) as known:
            begin = time.monotonic_ns()
            signal_groups(self.asleep & known.keys(), signal.SIGCONT)
            signal_all(known.values(), signal.SIGCONT)
            self.write(asked)
            answer = self.read(self.box, other=self.judge)
            signal_all(known.values(), signal.SIGSTOP)
            wall = time.monotonic_ns() - begin
        if self.stop(told=set(known)):  # not by the first signal: what ran on did so in this turn
            wall = time.monotonic_ns() - begin
        return answer, self.measured(wall, resident)

    def measured(self, wall: int, resident: int) -> Turn:
        """What the turn used, with the counters kept for the next one."""
        cpu, waited = self.meter.cpu(), self.meter.waited()
        used, delay = cpu - self.cpu, max(0, waited - self.waited)
        self.cpu = cpu
        # Without a group, a child that came and went has used nothing that can be seen: no delay is forgiven.
        counted = max(used, wall - (delay if self.meter.group else 0))
        grown = self.meter.memory.rise() if self.meter.memory else 0
        return Turn(counted, wall, used, resident, self.meter.peak(), grown, self.instructions())

    def instructions(self) -> int:
        counted = self.counter.read() if self.counter else None
        return -1 if counted is None else counted

    def stop(self, told: Collection[int] = ()) -> bool:
        """Stops all of the box, and returns whether the signal that those of ``told`` got was not enough.

        A process can be overlooked that is born, or loses its parent, while one looks. Who is stopped does
        neither. So once two looks in a row find the same processes, all there and stopped, they are all.

        Who sleeps uninterruptibly (the parent of a vfork; a fork while the host moves processes between
        control groups) stops before it runs again, but a child that it is making would not. A signal to a
        process group, unlike one to a process, reaches such a child, unless its parent has the same signal
        pending; SIGCONT takes that back.
        """
        deadline = time.monotonic() + STOP_SECONDS
        known, before, rounds = set(told), None, 0
        self.asleep = set()
        try:
            while True:
                states = {pid: state_of_process(pid) for pid in self.meter.processes()}
                running = [pid for pid, state in states.items() if state is State.RUNS or pid not in known]
                asleep = {pid for pid, state in states.items() if state is State.SLEEPS} - self.asleep
                with held(running) as descriptors:
                    signal_all(descriptors.values(), signal.SIGSTOP)
                known.update(running)
                rounds += bool(running)
                quiet = not running and not asleep and State.GONE not in states.values()
                if quiet and states.keys() == before:
                    return rounds > 0
                before = states.keys() if quiet else None
                if asleep and self.meter.leads_its_session():
                    with held(asleep) as descriptors:
                        signal_all(descriptors.values(), signal.SIGCONT)
                        signal_groups(descriptors, signal.SIGSTOP)
                    self.asleep |= asleep
                    rounds += 1
                if time.monotonic() > deadline:
                    raise OutOfTurn("it can't be stopped")
        finally:
            if self.asleep:  # its init is in most programs' group, and has to go on
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.meter.init, signal.SIGCONT)

    def pass_on(self, frame: list[bytes], turn: Turn) -> None:
        try:
            for piece in (turn.pack(), *frame):
                self.judge.sendall(piece)
        except OSError as error:
            raise Gone("the judge is gone") from error

    def write(self, frame: list[bytes]) -> None:
        try:
            for piece in frame:
                self.box.sendall(piece)
        except OSError as error:
            raise Gone("the box is gone") from error

    def read(self, source: socket.socket, other: socket.socket) -> list[bytes]:
        """A whole frame of ``source``'s. Raises Gone where either side ends before it is there."""
        poll = select.poll()
        poll.register(source, select.POLLIN)
        poll.register(other, select.POLLRDHUP)

        def take(count: int) -> bytes:
            parts: list[bytes] = []
            while count:
                for fd, _ in poll.poll():
                    if fd == other.fileno():
                        raise Gone("a side is gone")
                try:
                    part = source.recv(min(count, _CHUNK))
                except OSError as error:
                    raise Gone("a side is gone") from error
                if not part:
                    raise Gone("a side is gone")
                parts.append(part)
                count -= len(part)
            return b"".join(parts)

        head = take(HEADER.size)
        body, tail = HEADER.unpack(head)
        if body > MAX_BODY or tail > MAX_TAIL:
            raise Gone(f"a frame of {body} and {tail} bytes")
        return [head + take(body), take(tail)]


class State(Enum):
    """Of a whole process, for who wants it to stand still. SLEEPS: in the kernel, and no signal wakes it."""

    RUNS = auto()
    SLEEPS = auto()
    STANDS = auto()
    GONE = auto()


def state_of_process(pid: int) -> State:
    try:
        states = [state_of(pid, thread) for thread in threads_of(pid)]
    except (FileNotFoundError, ProcessLookupError):
        return State.GONE
    if not states:
        return State.GONE
    left = {state for state in states if state not in STOPPED}
    if not left:
        return State.STANDS
    return State.SLEEPS if left == {UNINTERRUPTIBLE} else State.RUNS


def start_turnstile(
    judge: int, box: int, init: int, groups: tuple[Path, ...], cpus: set[int]
) -> subprocess.Popen[bytes]:
    """The program, started between two sockets; ``cpus`` are the cores for itself, if there are any."""
    command = [sys.executable, "-m", __name__, str(judge), str(box), str(init)]
    process = subprocess.Popen(  # noqa: S603 - our own words
        [*command, *map(str, groups)],
        pass_fds=(judge, box),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C lets what runs come to its end
    )
    if cpus:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(process.pid, cpus)
    return process


def main() -> None:
    judge, box = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    try:
        Turnstile(judge, box, Meter(int(sys.argv[3]), *map(Path, sys.argv[4:6]))).serve()
    except Gone:
        pass
    except OutOfTurn:
        sys.exit(OUT_OF_TURN)


if __name__ == "__main__":
    main()
