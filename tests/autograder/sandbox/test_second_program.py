"""A box with a second program in it: nothing of the first is left, and each one's end is told by its own doings.

That such a box holds like any other is in `test_isolation` and `test_limits`, whose tests run with it too.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from autograder.sandbox import Box, BoxFailed, BoxSpec, Cause, Side
from autograder.sandbox.descriptors import ready
from autograder.sandbox.policy import this_host
from autograder.sandbox.warm import WarmBoxes
from tests.autograder.sandbox.boxes import PATIENCE, SMALL
from tests.autograder.sandbox.test_warm import Notebook

grouped = pytest.mark.skipif(this_host().place is None, reason="without a control group nothing counts it")


@dataclass(frozen=True)
class Emptied:
    """Opens the second program of a box that was vacated."""

    box: Box

    def open(self, spec: BoxSpec, modules: tuple[str, ...]) -> Box:
        return self.box.second(second_spec(self.box, *spec.pass_fds))


def second(first: Notebook) -> Notebook:
    """The notebook's box, emptied, with another notebook in it."""
    assert first.box.vacate()
    return Notebook(Emptied(first.box))


def second_spec(box: Box, descriptor: int) -> BoxSpec:
    return replace(box.spec, pass_fds=(descriptor,), twice=False)


def test_nothing_of_the_first_is_left(warm_boxes: WarmBoxes) -> None:
    """No file, process, terminal or socket; nor what it has changed in Python, which it shared with nobody."""
    leave = """
import builtins, contextlib, os, signal, socket, threading, time
for folder in ("/tmp", "/dev/shm", os.path.expanduser("~")):
    open(folder + "/left", "w").write("here")
    with contextlib.suppress(PermissionError):
        os.chmod(folder, 0o700)
builtins.left = "here"
os.environ["LEFT"] = "here"
listener = socket.socket(socket.AF_UNIX); listener.bind("\\0left"); listener.listen()
master, slave = os.openpty()
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if os.fork():
            os.kill(os.getpid(), signal.SIGSTOP)
        while True:
            time.sleep(1)
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("left")
"""
    look = """
import builtins, os, socket
print([folder for folder in ("/tmp", "/dev/shm", os.path.expanduser("~")) if os.path.exists(folder + "/left")],
      oct(os.stat("/tmp").st_mode), oct(os.stat("/dev/shm").st_mode), oct(os.stat(os.path.expanduser("~")).st_mode),
      hasattr(builtins, "left"), "LEFT" in os.environ, os.listdir("/dev/pts"),
      sum(name.isdigit() for name in os.listdir("/proc")), end=" ")
try:
    socket.socket(socket.AF_UNIX).connect("\\0left"); print("met")
except ConnectionRefusedError:
    print("alone")
"""
    with Notebook(warm_boxes) as fresh:
        expected = fresh(look)
    assert expected.startswith("[] ") and expected.endswith("False False ['ptmx'] 2 alone")
    with Notebook(warm_boxes, twice=True) as first:
        assert first(leave) == "left"
        with second(first) as notebook:
            assert notebook(look) == expected


def test_the_folders_in_memory_are_whole_again(warm_boxes: WarmBoxes) -> None:
    """What the first wrote takes nothing of the second's."""
    fill = """
import os
written = 0
with open("/tmp/{name}", "wb", buffering=0) as file:
    try:
        while True:
            written += file.write(bytes(1 << 16))
    except OSError as error:
        print(written >> 20, error.errno)
"""
    with Notebook(warm_boxes, limits=replace(SMALL, file_mb=8, tmp_mb=4), twice=True) as first:
        assert first(fill.format(name="one")) == "4 28"
        with second(first) as notebook:
            assert notebook(fill.format(name="other")) == "4 28"


def test_the_second_program_is_the_firsts_user_without_privileges(warm_boxes: WarmBoxes) -> None:
    look = """
import os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(os.getresuid(), os.getresgid(), os.getgroups(), status["Groups"].split(), sorted(os.sched_getaffinity(0)),
      *(status[name].strip() for name in
        ("SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")))
"""
    with Notebook(warm_boxes, twice=True) as first:
        before = first(look)
        with second(first) as notebook:
            assert notebook(look) == before
    assert (
        "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 1 2" in before
    )


def test_the_inits_line_is_not_in_the_box(warm_boxes: WarmBoxes) -> None:
    look = """
import os
print(sorted(os.readlink("/proc/self/fd/" + name).split(":")[0] for name in os.listdir("/proc/self/fd")
             if os.path.exists("/proc/self/fd/" + name) and int(name) > 2 and
             not os.readlink("/proc/self/fd/" + name).startswith("/proc")))
"""
    with Notebook(warm_boxes, twice=True) as first:
        assert first(look) == "['socket']"
        with second(first) as notebook:
            assert notebook(look) == "['socket']"


def test_an_init_that_keeps_privileges_cannot_be_reached(warm_boxes: WarmBoxes) -> None:
    """Between the programs it needs them; the first one gets at it neither by a call nor through /proc."""
    attack = """
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
got = []
if libc.ptrace(16, 1, 0, 0) == 0:
    got.append("ptrace")
for number in (310, 311, 434, 438):  # memory of others, descriptors of others
    if libc.syscall(number, 1, 0, 0, 0, 0, 0) >= 0:
        got.append(number)
for name in ("mem", "environ", "fd", "root", "maps", "ns/mnt", "cwd"):
    try:
        os.listdir("/proc/1/" + name) if name == "fd" else open("/proc/1/" + name, "rb").read(1)
        got.append(name)
    except OSError:
        pass
for number in range(1, 65):
    try:
        os.kill(1, number)
    except OSError:
        pass
print(got)
"""
    with Notebook(warm_boxes, twice=True) as first:
        assert first(attack) == "[]"
        assert first("print('still here')") == "still here"
        with second(first) as notebook:
            assert notebook("print(1)") == "1"


def test_a_program_that_ended_by_itself_leaves_no_box(warm_boxes: WarmBoxes) -> None:
    with Notebook(warm_boxes, twice=True) as first:
        first.start("import os\nos._exit(7)")
        assert first.box.wait(PATIENCE)
        assert not first.box.vacate()
        assert (first.box.ending().cause, first.box.ending().code) == (Cause.EXITED, 7)


def test_a_box_without_an_init_is_not_kept(warm_boxes: WarmBoxes) -> None:
    with Notebook(warm_boxes, twice=True) as first:
        os.kill(first.box.init_pid, signal.SIGKILL)
        assert first.box.wait(PATIENCE)
        assert not first.box.vacate()
        assert first.box.ending().side is Side.BOX


def test_a_box_of_one_program_is_not_kept(warm_boxes: WarmBoxes) -> None:
    with Notebook(warm_boxes) as first:
        assert not first.box.vacate()
        assert first("print('still here')") == "still here"


@grouped
def test_a_box_that_used_much_memory_is_not_kept(warm_boxes: WarmBoxes) -> None:
    """How the second one ended could not be told by the same counters."""
    with Notebook(warm_boxes, twice=True, limits=replace(SMALL, memory_mb=256)) as first:
        assert first("a = bytes(1) * (180 << 20)\nprint(len(a) >> 20)") == "180"
        assert not first.box.vacate()


@grouped
def test_a_box_that_reached_a_limit_is_not_kept(warm_boxes: WarmBoxes) -> None:
    forks = """
import os
try:
    while os.fork(): pass
    os.read(0, 1); import time; time.sleep(600)
except BlockingIOError:
    print("no more")
"""
    with Notebook(warm_boxes, twice=True, limits=replace(SMALL, processes=8)) as first:
        assert first(forks) == "no more"
        assert not first.box.vacate()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import os; os._exit(7)", Cause.EXITED),
        ("import os; os.kill(os.getpid(), 9)", Cause.SIGNALLED),
        pytest.param("a = [bytes(1) * (16 << 20) for _ in range(64)]", Cause.MEMORY, marks=grouped),
        ("import time; time.sleep(600)", Cause.KILLED_BY_US),
    ],
)
def test_how_the_second_ended_is_told(warm_boxes: WarmBoxes, code: str, cause: Cause) -> None:
    with Notebook(warm_boxes, twice=True, limits=replace(SMALL, memory_mb=256)) as first:
        assert first("print(1)") == "1"
        with second(first) as notebook:
            notebook.start(code)
            if cause is Cause.KILLED_BY_US:
                notebook.box.kill()
            assert notebook.box.wait(PATIENCE)
            assert notebook.box.ending().cause is cause
        assert first.box.ending().cause is Cause.KILLED_BY_US


def test_each_is_charged_with_its_own_time(warm_boxes: WarmBoxes) -> None:
    burn = "import time\nbegin = time.process_time()\nwhile time.process_time() < begin + {}: pass"
    with Notebook(warm_boxes, twice=True) as first:
        first(burn.format(1.1))  # some hundredths more: what it used is counted in ticks
        with second(first) as notebook:
            used = first.box.usage().cpu_seconds
            notebook(burn.format(0.2))
            notebook.box.kill()
            assert used >= 1.0
            assert 0 < notebook.box.usage().cpu_seconds < used
        assert first.box.usage().cpu_seconds == used


def test_an_emptied_box_can_be_closed(warm_boxes: WarmBoxes) -> None:
    with Notebook(warm_boxes, twice=True) as first, held_init(first.box) as init:
        assert first.box.vacate()
        first.box.close()
        assert ready(init, PATIENCE)
        assert not any(folder.exists() for folder in first.box.meters)


def test_an_emptied_box_that_dies_takes_no_program(warm_boxes: WarmBoxes) -> None:
    with Notebook(warm_boxes, twice=True) as first, held_init(first.box) as init:
        assert first.box.vacate()
        signal.pidfd_send_signal(init, signal.SIGKILL)
        assert ready(init, PATIENCE)
        line, theirs = socket.socketpair()
        with line, theirs, pytest.raises(BoxFailed, match="when it was empty"):
            first.box.second(second_spec(first.box, theirs.fileno()))


@contextmanager
def held_init(box: Box) -> Iterator[int]:
    """A descriptor of the box's init."""
    descriptor = os.pidfd_open(box.init_pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_the_second_has_the_firsts_limits(warm_boxes: WarmBoxes) -> None:
    with Notebook(warm_boxes, twice=True) as first, held_init(first.box) as init:
        assert first.box.vacate()
        line, theirs = socket.socketpair()
        spec = replace(second_spec(first.box, theirs.fileno()), limits=replace(SMALL, memory_mb=512))
        with line, theirs, pytest.raises(BoxFailed, match="other limits"):
            first.box.second(spec)
        assert ready(init, PATIENCE)


def test_a_box_takes_no_third_program(warm_boxes: WarmBoxes) -> None:
    with Notebook(warm_boxes, twice=True) as first, second(first) as notebook:
        assert not notebook.box.vacate()
        assert notebook("print('still here')") == "still here"
        with pytest.raises(RuntimeError):
            first.box.second(notebook.box.spec)
