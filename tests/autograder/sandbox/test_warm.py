"""Boxes forked from a zygote: what a fork could break or share doesn't, and a lost zygote is replaced.

Each hazard here was seen to happen without its remedy. That such a box holds like any other is in
`test_isolation` and `test_limits`, whose tests run with both kinds.
"""

# ruff: noqa: S108 - the paths are a box's own

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from autograder.sandbox import DEFAULT_LIMITS, Bind, Box, BoxFailed, BoxSpec, Cause, Scratch, Side
from autograder.sandbox import warm as module
from autograder.sandbox.policy import this_host
from autograder.sandbox.warm import WarmBoxes, why_cold
from autograder.sandbox.warmth import AGENT_BINDS, HOME
from autograder.sandbox.wire import Channel
from tests.autograder.sandbox.boxes import GREETING, PATIENCE, WARM, program_of, run

LIMITS = replace(DEFAULT_LIMITS, cpu_seconds=60)


class Opens(Protocol):
    """What opens boxes for a notebook."""

    def open(self, spec: BoxSpec, modules: tuple[str, ...]) -> Box: ...


class Notebook:
    """A box with the agent in it, as the judge has one."""

    def __init__(self, boxes: Opens, modules: tuple[str, ...] = (), **changes: Any) -> None:
        self.line, theirs = socket.socketpair()
        spec = BoxSpec(
            argv=("/",), limits=LIMITS, binds=AGENT_BINDS, env={"PYTHONPATH": HOME},
            pass_fds=(theirs.fileno(),), name="notebook",
        )  # fmt: skip
        with theirs, ExitStack() as undo:
            undo.callback(self.line.close)
            self.box: Box = boxes.open(replace(spec, **changes), modules)
            undo.pop_all()
        self.channel = Channel(self.line)
        assert self.channel.receive(self.deadline()).message == GREETING

    def deadline(self) -> float:
        return time.monotonic() + PATIENCE

    def start(self, source: str) -> None:
        self.channel.send([1, "cell", [], source, 1 << 16])

    def __call__(self, source: str) -> str:
        """What the cell prints, and its error if it ends in one."""
        self.start(source)
        _, _, (_, outputs), _ = self.channel.receive(self.deadline()).message
        return "".join(
            each.get("evalue") or each["text"] for each in outputs if each.get("name") != "stderr"
        ).strip()

    def __enter__(self) -> Notebook:
        return self

    def __exit__(self, *error: object) -> None:
        self.line.close()
        self.box.close()


@pytest.fixture(scope="module")
def torch_boxes() -> Iterator[WarmBoxes]:
    """Zygotes that have torch, for all tests here."""
    with WarmBoxes() as boxes:
        yield boxes


@pytest.fixture
def numeric(torch_boxes: WarmBoxes) -> Callable[[], Notebook]:
    """Opens a notebook that has numpy and torch."""
    return lambda: Notebook(torch_boxes, ("numpy", "torch"))


def zygote_pid(boxes: WarmBoxes) -> int:
    """Of the only zygote."""
    [zygote] = boxes.zygotes.values()
    return program_of(zygote.box)


# What a fork takes along, and what it doesn't


@pytest.mark.parametrize("threads", [1, 2])
def test_arithmetic_on_threads_does_not_hang(numeric: Callable[[], Notebook], threads: int) -> None:
    code = f"""
import torch, numpy as np
torch.set_num_threads({threads})
a = torch.arange(600.0 * 600).reshape(600, 600)
layer = torch.nn.Conv2d(2, 4, 3)
layer(torch.ones(2, 2, 32, 32)).sum().backward()
b = np.ones((400, 400))
print((a @ a).shape, torch.sin(torch.ones(300_000)).sum() > 0, (b @ b).sum(), layer.bias.grad.shape)
"""
    with numeric() as notebook:
        assert notebook(code).endswith("tensor(True) 64000000.0 torch.Size([4])")


def test_a_number_of_threads_can_still_be_set_between_operators(numeric: Callable[[], Notebook]) -> None:
    code = """
import torch
torch.set_num_interop_threads(2)
print(torch.jit.wait(torch.jit.fork(lambda x: x + 1, torch.ones(1))))
"""
    with numeric() as notebook:
        assert notebook(code) == "tensor([2.])"


def test_processes_and_servers_can_be_started(numeric: Callable[[], Notebook]) -> None:
    code = """
import asyncio, multiprocessing, subprocess, threading, torch
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(abs, [-1, -2]), end=" ")
loaded = torch.utils.data.DataLoader(torch.arange(4.0), batch_size=2, num_workers=2)
print([batch.sum().item() for batch in loaded], end=" ")
print(subprocess.run(["echo", "shell"], capture_output=True, text=True).stdout.strip(), end=" ")
thread = threading.Thread(target=lambda: print("thread", end=" "))
thread.start(); thread.join()
await asyncio.sleep(0)
import zmq
context = zmq.Context.instance(); a = context.socket(zmq.PUSH); b = context.socket(zmq.PULL)
a.bind("inproc://x"); b.connect("inproc://x"); a.send(b"zmq"); print(b.recv().decode())
"""
    with numeric() as notebook:
        assert notebook(code) == "[1, 2] [1.0, 5.0] shell thread zmq"


def test_random_numbers_are_each_boxs_own(numeric: Callable[[], Notebook]) -> None:
    code = """
import multiprocessing, os, random, tempfile, torch, uuid, numpy as np
print(random.random(), np.random.rand(), torch.rand(1).item(), torch.initial_seed(), uuid.uuid4(), multiprocessing.current_process().authkey.hex(),
      tempfile.mktemp(), os.urandom(8).hex())
"""
    with numeric() as first, numeric() as second:
        one, other = first(code).split(), second(code).split()
    assert len(one) == len(other) == 8
    assert not set(one) & set(other)


def test_results_are_those_of_a_new_process(numeric: Callable[[], Notebook]) -> None:
    code = """
import hashlib, numpy as np, torch
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.LayerNorm(16), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(20):
    optimizer.zero_grad(); model(torch.randn(32, 8)).square().mean().backward(); optimizer.step()
tensors = [*model.parameters(), torch.linalg.svdvals(torch.randn(20, 20)), torch.fft.fft(torch.randn(64)).real]
text = b"".join(each.detach().numpy().tobytes() for each in tensors)
print(hashlib.sha256(text + np.random.default_rng(0).normal(size=99).tobytes()).hexdigest())
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    new = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout
    with numeric() as notebook:
        assert notebook(code) == new.strip()


def test_what_runs_threads_cannot_be_preloaded(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    tmp_path.chmod(0o755)
    bind = Bind(tmp_path / "busy.py", "/opt/mlsys/busy.py")
    with WarmBoxes() as boxes, pytest.raises(BoxFailed, match=r"1 threads.*preload"):
        Notebook(boxes, ("busy",), binds=(*AGENT_BINDS, bind))


@pytest.mark.parametrize("name", ["no_such_module", "torch.no_such_part"])
def test_what_does_not_import_is_named(name: str) -> None:
    with WarmBoxes() as boxes, pytest.raises(BoxFailed, match=f"{name.split('.')[-1]}.*preload"):
        Notebook(boxes, (name,))


# What boxes of one zygote don't share


def test_a_box_finds_nothing_of_the_one_before(warm_boxes: WarmBoxes) -> None:
    leave = """
import builtins, os, socket, sys
for folder in ("/tmp", "/dev/shm", "/dev", os.path.expanduser("~"), "/opt", "/run", "/"):
    try:
        open(folder + "/left", "w").write("here")
    except OSError:
        pass
builtins.left = sys.left = "here"
import autograder.sandbox.agent as agent
agent.left = "here"
"""
    look = """
import builtins, os, sys
import autograder.sandbox.agent as agent
folders = ("/tmp", "/dev/shm", "/dev", os.path.expanduser("~"), "/opt", "/run", "/")
print([folder for folder in folders if os.path.exists(folder + "/left")],
      hasattr(builtins, "left"), hasattr(sys, "left"), hasattr(agent, "left"))
"""
    with Notebook(warm_boxes) as one:
        assert one(leave) == ""
        with Notebook(warm_boxes) as other:
            assert other(look) == "[] False False False"


def test_boxes_beside_each_other_do_not_meet(warm_boxes: WarmBoxes) -> None:
    """No process, no terminal, no socket without a path, and as root no uid in common."""
    offer = """
import os, socket
listener = socket.socket(socket.AF_UNIX); listener.bind("\\0meeting"); listener.listen()
master, slave = os.openpty()
print(os.ttyname(slave), os.getuid(), len([name for name in os.listdir("/proc") if name.isdigit()]))
"""
    look = """
import os, socket
try:
    socket.socket(socket.AF_UNIX).connect("\\0meeting"); print("met", end=" ")
except ConnectionRefusedError:
    print("alone", end=" ")
print(os.listdir("/dev/pts"), os.getuid(), len([name for name in os.listdir("/proc") if name.isdigit()]))
"""
    with Notebook(warm_boxes) as one, Notebook(warm_boxes) as other:
        terminal, uid, processes = one(offer).split()
        assert (terminal, processes) == ("/dev/pts/0", "2")
        words = other(look)
        assert words.startswith("alone ['ptmx']")
        assert words.split()[-1] == "2"
        assert (words.split()[-2] != uid) is this_host().as_root


def test_the_zygotes_line_to_the_platform_is_not_in_a_box(warm_boxes: WarmBoxes) -> None:
    code = """
import os
found = {name: os.readlink("/proc/self/fd/" + name) for name in os.listdir("/proc/self/fd")
         if os.path.exists("/proc/self/fd/" + name)}
print(sorted(link.split(":")[0] for link in found.values() if not link.startswith("/proc")))
"""
    with Notebook(warm_boxes) as notebook:
        assert notebook(code) == "['/dev/null', '/dev/null', '/dev/null', 'socket']"


def test_nothing_of_the_platforms_environment_is_in_a_box(
    warm_boxes: WarmBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLSYS_SECRET_OF_THE_TEST", "a secret of the platform")
    code = """
import ctypes, re
maps = [line.split() for line in open("/proc/self/maps") if " rw-p " in line]
seen = b""
for line in maps:
    begin, end = (int(part, 16) for part in line[0].split("-"))
    seen += ctypes.string_at(begin, end - begin)
wanted = bytes(reversed(b"tset_eht_fo_terces_syslm".upper()))
print(len(seen) > 1 << 20, wanted in seen)
"""
    with WarmBoxes() as boxes, Notebook(boxes) as notebook:
        assert notebook(code) == "True False"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scratch": (Scratch("/run/x", kb=64),)}, "may write"),
        ({"binds": (Bind(Path("/var/tmp"), "/opt/x", writable=True),)}, "may write"),
        ({"cpus": (0,)}, "cores"),
        ({"uid": 64999}, "uid"),
        ({"binds": (Bind(Path("/usr/share"), "/tmp/x"),)}, "hidden"),
    ],
)
def test_a_box_with_something_of_its_own_is_not_forked(changes: dict[str, Any], reason: str) -> None:
    spec = replace(BoxSpec(argv=("/",), limits=LIMITS), **changes)
    assert reason in why_cold(spec)
    with WarmBoxes() as boxes, pytest.raises(ValueError, match=reason):
        boxes.open(spec, ())


# How boxes and zygotes end


def test_no_box_outlives_its_zygote(warm_boxes: WarmBoxes) -> None:
    """Not one that has cleared the signal that its parent's death would send."""
    with WarmBoxes() as boxes, Notebook(boxes) as notebook:
        assert notebook("import ctypes, signal\nctypes.CDLL(None).prctl(1, 0)\nprint('cleared')") == "cleared"
        os.kill(zygote_pid(boxes), signal.SIGKILL)
        assert notebook.box.wait(PATIENCE)
        ending = notebook.box.ending()
        assert (ending.side, ending.cause) == (Side.BOX, Cause.BOX_FAILED)


def test_a_zygote_that_was_killed_is_replaced() -> None:
    with WarmBoxes() as boxes:
        with Notebook(boxes) as notebook:
            assert notebook("print(1)") == "1"
            first = zygote_pid(boxes)
            os.kill(first, signal.SIGKILL)
            notebook.box.wait(PATIENCE)
        with Notebook(boxes) as notebook:
            assert notebook("print(2)") == "2"
            assert zygote_pid(boxes) != first


def test_a_zygote_that_does_not_answer_is_given_up() -> None:
    with WarmBoxes() as boxes:
        with Notebook(boxes):
            first = zygote_pid(boxes)
        [zygote] = boxes.zygotes.values()
        zygote.control.settimeout(0.5)  # this one's, which will not answer; the next one has its time
        os.kill(first, signal.SIGSTOP)
        with Notebook(boxes) as notebook:
            assert notebook("print(2)") == "2"
            assert zygote_pid(boxes) != first


def test_a_worn_zygote_makes_room_and_lets_its_boxes_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FORKS", 2)
    with WarmBoxes() as boxes:
        with Notebook(boxes) as kept:
            first = zygote_pid(boxes)
            with Notebook(boxes):
                pass
            with Notebook(boxes):
                assert zygote_pid(boxes) != first
            assert kept("print('still here')") == "still here"
        with Notebook(boxes):
            assert boxes.retired == []


def test_a_zygote_that_has_grown_is_worn(monkeypatch: pytest.MonkeyPatch) -> None:
    with WarmBoxes() as boxes:
        with Notebook(boxes):
            pass
        [zygote] = boxes.zygotes.values()
        assert not zygote.has_grown()
        monkeypatch.setattr(module, "MOST_GROWTH", -zygote.size)
        assert zygote.has_grown()


def test_nothing_is_left_when_the_platform_is_killed(tmp_path: Path) -> None:
    script = """
import os, sys
from tests.autograder.sandbox.test_warm import Notebook, zygote_pid
from autograder.sandbox.warm import WarmBoxes
with WarmBoxes() as boxes, Notebook(boxes) as notebook:
    notebook("import ctypes; ctypes.CDLL(None).prctl(1, 0)")
    print(zygote_pid(boxes), notebook.box.init_pid, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as platform:
        assert platform.stdout is not None
        held = [os.pidfd_open(int(pid)) for pid in platform.stdout.readline().split()]
        platform.kill()
    for descriptor in held:
        assert module_ready(descriptor)
        os.close(descriptor)


def module_ready(descriptor: int) -> bool:
    from autograder.sandbox.descriptors import ready

    return ready(descriptor, PATIENCE)


@contextmanager
def forked_by(boxes: WarmBoxes) -> Iterator[None]:
    token = WARM.set(boxes)
    yield
    WARM.reset(token)


def test_how_a_program_ended_is_told_by_its_init(warm_boxes: WarmBoxes) -> None:
    with forked_by(warm_boxes):
        endings = [run(code, status=7).ending for code in ("os._exit(7)", "os.kill(os.getpid(), 9)", "os.abort()")]
    assert [(each.cause, each.code, each.signal) for each in endings] == [
        (Cause.EXITED, 7, None),
        (Cause.SIGNALLED, None, signal.SIGKILL),
        (Cause.SIGNALLED, None, signal.SIGABRT),
    ]


def test_signals_to_the_init_are_nothing(warm_boxes: WarmBoxes) -> None:
    code = """
for number in range(1, 65):
    try:
        os.kill(1, number)
    except OSError:
        pass
os._exit(5)
"""
    with forked_by(warm_boxes):
        assert run(code, status=5).ending.code == 5


def test_a_zygote_can_be_started_before_it_is_asked_for() -> None:
    with WarmBoxes() as boxes:
        spec = BoxSpec(argv=("/",), limits=LIMITS, binds=AGENT_BINDS, env={"PYTHONPATH": HOME})
        boxes.prepare(spec, ())
        with Notebook(boxes) as notebook:
            assert notebook("print(1)") == "1"
        assert len(boxes.zygotes) == 1


def test_what_is_closed_before_it_was_prepared_says_nothing() -> None:
    boxes = WarmBoxes()
    boxes.close()
    boxes.prepare(BoxSpec(argv=("/",), limits=LIMITS, binds=AGENT_BINDS, env={"PYTHONPATH": HOME}), ())
    for each in threading.enumerate():
        if each.name == "mlsys-prepare":
            each.join(PATIENCE)  # pytest fails a test whose thread ends in an exception
    assert boxes.zygotes == {}


def test_a_crowd_of_boxes_at_once(warm_boxes: WarmBoxes) -> None:
    notebooks = [Notebook(warm_boxes) for _ in range(20)]
    try:
        for notebook in notebooks:
            notebook.start("print(6 * 7)")
        said = [
            notebook.channel.receive(notebook.deadline()).message[2][1][0]["text"] for notebook in notebooks
        ]
        assert said == ["42\n"] * 20
    finally:
        for notebook in notebooks:
            notebook.__exit__()
