"""The program that boxes are forked from: Python with the agent, and whatever else is slow to load.

Contract: ``python -m autograder.sandbox.zygote CONTROL FILTER MODULE…`` loads the modules and says so on the
control socket, one JSON object. After that each message there is an `Order`, with the descriptors of the
box's status, its words, its init's line where it can take a second program, what it is passed (its agent's
socket first) and its groups' files; the answer is a byte, with a descriptor of the box's init. FILTER is a
descriptor that the box's filter is read from.

Trust: what is here was there before any student's code, and each box gets a copy of it. So nothing secret may
ever be in this process: no test, no submission, no seed. It reads from the platform alone, and never from
a box.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import secrets
import signal
import socket
import sys
import types
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.sandbox.agent import Agent, Discard
from autograder.sandbox.entry import FAILED, Order, enter, fork_into_namespaces, tell_why
from autograder.sandbox.pages import REHEARSALS, settle_for_forks, watch_code
from autograder.sandbox.wire import Channel

MOST_MESSAGE = 1 << 16
MOST_DESCRIPTORS = 16
# What numpy loads when it is first used: its random numbers took 10 ms in every box.
NUMPY_ON_DEMAND = ("numpy.random", "numpy.fft", "numpy.ma", "numpy.polynomial")
# `torch.manual_seed` keeps the stack for each kind of device, to say who asked for it where that fails later:
# a millisecond, for devices that no box reaches.
NO_STACKS = types.SimpleNamespace(format_stack=list)
# The limits that count what was loaded before the program, and how /proc calls that.
GROWN = {resource.RLIMIT_AS: "VmSize", resource.RLIMIT_DATA: "VmData"}


def load(modules: Iterable[str]) -> dict[str, Any]:
    """What became of it, as the platform is told."""
    try:
        for name in modules:
            importlib.import_module(name)
        warm_up()
    except Exception as error:  # whatever a module does while it is imported
        return {"failed": f"{type(error).__name__}: {error}"[:500]}
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        # A forked process hasn't the other threads: what waits for one of them waits for ever.
        return {"failed": f"what was loaded runs {threads - 1} threads, which no box could go on with"}
    return {"ready": True}


def warm_up() -> None:
    """Loads what the first uses of numpy and torch load."""
    for name in NUMPY_ON_DEMAND:
        importlib.import_module(name)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        for device in (torch.cuda, torch.xpu, torch.mtia):
            device.traceback = NO_STACKS
        train(torch)  # the first loads torch._dynamo and sympy: 0.8 s
    watch_code()
    for _ in range(REHEARSALS if torch is not None else 0):
        train(torch)


def train(torch: Any) -> None:
    """A step of a training loop, as notebooks have it."""
    torch.manual_seed(0)  # `begin_anew` takes it back
    inputs, weights = torch.randn(4, 2), torch.ones(2, 3, requires_grad=True)
    optimizer = torch.optim.SGD([weights], lr=0.1)
    optimizer.zero_grad()
    loss = ((torch.nn.functional.relu(inputs @ weights) - 1) ** 2).mean()
    loss.backward()
    optimizer.step()
    repr(loss)


def begin_anew() -> None:
    """What would be the same in every box, and is different in every process that was started."""
    random = sys.modules.get("random")
    if random is not None:
        random.seed()
    generator = sys.modules.get("numpy.random")
    if generator is not None:
        # Of a number it makes its state at once. For a sequence of numbers, or without any, it calls half of
        # numpy: half a millisecond in each box.
        generator.seed(secrets.randbits(32))
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.seed()  # boxes reach no device whose generator would need it
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None:
        multiprocessing.current_process().authkey = secrets.token_bytes(32)
    tempfile: Any = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile._name_sequence = None


def loaded() -> dict[int, int]:
    """What is loaded here, in bytes, by the limits that count it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {which: int(status[name].split()[0]) << 10 for which, name in GROWN.items()}


def grown(order: Order, added: dict[int, int]) -> Order:
    """The order with what is loaded on top of the limits on a process's memory."""
    limits = (
        (which, soft + added.get(which, 0), hard + added.get(which, 0)) for which, soft, hard in order.limits
    )
    return replace(order, limits=tuple(limits))


class Zygote:
    """Forks a box for each order."""

    def __init__(self, control: socket.socket, filter_program: bytes) -> None:
        self.control = control
        self.filter_program = filter_program
        self.agent = Agent()
        torch: Any = sys.modules.get("torch")
        self.agent.warm_up(1.0, [2, "a"], np.ones(3), *([] if torch is None else [torch.ones(2, 3)]))
        self.loaded = loaded()

    def serve(self) -> None:
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.control, MOST_MESSAGE, MOST_DESCRIPTORS)
            if not message:
                return
            self.fork_box(grown(Order.from_bytes(message), self.loaded), descriptors)
            for descriptor in descriptors:
                os.close(descriptor)

    def fork_box(self, order: Order, descriptors: list[int]) -> None:
        """Answers with a descriptor of the new box's init, or without where it can't be forked."""
        status, words, *rest = descriptors
        line = rest.pop(0) if order.twice else None
        owner = os.getuid(), os.getgid()
        try:
            init = fork_into_namespaces(own_user=order.uid is None)
        except OSError as error:
            tell_why(words, error)
            self.control.send(b"F")
            return
        if init is None:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                enter(
                    order,
                    owner,
                    entrances=rest[order.passed :],
                    status=status,
                    words=words,
                    line=line,
                    program=self.be_agent,
                    keep=rest[: order.passed],
                    filter_program=self.filter_program,
                )
            finally:
                os._exit(FAILED)
        socket.send_fds(self.control, [b"B"], [init])
        os.close(init)

    def be_agent(self, line: int) -> None:
        begin_anew()
        os.chdir(os.environ["HOME"])
        self.agent.shell.make_folders()
        self.agent.serve(Channel(socket.socket(fileno=line), buffered=True))


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    with os.fdopen(int(sys.argv[2]), "rb") as file:
        filter_program = file.read()
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.stdout = sys.stderr = Discard()
    said = load(sys.argv[3:])
    zygote = Zygote(control, filter_program)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that enter boxes
    settle_for_forks()
    control.send(json.dumps(said).encode())
    zygote.serve()


if __name__ == "__main__":
    # The notebook becomes __main__ here too.
    from autograder.sandbox import zygote

    zygote.main()
