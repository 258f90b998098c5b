"""Warm boxes: forked from a process that has Python, numpy and torch loaded; a cold one loads them anew.

Theory of operation. A zygote (see `zygote`) runs in a box of its own, made by the same policy, and forks a
process for each box that is asked for. That process enters a box of its own (see `entry`): the same limits,
mounts, uid and filter as those of a box that bubblewrap makes, from the same lists. From then on it is a
`Box` like any other: held by a descriptor of its first process, counted and swept by its control group.

A zygote serves boxes of one kind: the same folders, packages and environment. It's replaced when it has
forked many, when it has grown, and when it dies; its boxes die with it, which counts as the box's failure.

Contract: `WarmBoxes.open` may be called from several threads, and the boxes may outlive the calling thread.
``close`` ends every zygote, and with them what still runs.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from autograder.sandbox.accounting import memory_of
from autograder.sandbox.box import Box, open_box
from autograder.sandbox.cgroup import Group
from autograder.sandbox.descriptors import drain, memory_file, pipe
from autograder.sandbox.errors import BoxFailed, SandboxError
from autograder.sandbox.launch import Started, box_filter, own_uid
from autograder.sandbox.limits import Limits
from autograder.sandbox.policy import Footing, entry_order, group_limits, this_host
from autograder.sandbox.python import interpreter
from autograder.sandbox.spec import Bind, BoxFile, BoxSpec

PRIVATE = ("/tmp", "/dev/shm")  # noqa: S108 - in the box
MOST_FORKS = 10_000
MOST_GROWTH = 64 << 20
LOADING_SECONDS = 120.0
FORKING_SECONDS = 20.0
# Of the zygote itself, which runs nothing of a student's; its boxes have limits of their own, none larger.
ZYGOTE_LIMITS = Limits(
    cell_seconds=1e6,
    notebook_seconds=1e6,
    cpu_seconds=1e8,
    memory_mb=1 << 20,
    processes=1 << 15,
    file_mb=1 << 20,
    output_kb=1024,
    tmp_mb=64,
)


class Zygote:
    """One process to fork boxes from. Open and close it in a thread that lives as long as it does."""

    def __init__(self, spec: BoxSpec, modules: tuple[str, ...], footing: Footing) -> None:
        """Raises HostUnfit or BoxFailed. ``spec`` is that of a box to come."""
        self.footing = footing
        self.lock = threading.Lock()
        self.forks = 0
        self.live = 0
        self.failed = False
        with ExitStack() as owned:
            self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            owned.callback(self.control.close)
            with theirs, ExitStack() as passed:
                own = zygote_spec(spec, modules, theirs.fileno(), box_program(spec, footing, passed))
                self.box = owned.enter_context(open_box(own, footing))
            self.control.settimeout(LOADING_SECONDS)
            self.greet(spec.name)
            self.size = self.resident()
            self.owned = owned.pop_all()

    def greet(self, name: str) -> None:
        try:
            said = json.loads(self.control.recv(1 << 16) or b"{}")
        except OSError as error:
            raise BoxFailed(f"the zygote of {name} said nothing for {LOADING_SECONDS:.0f} s") from error
        if not said.get("ready"):
            self.box.kill(grace=1)
            why = said.get("failed") or self.box.diagnosis()[-500:]
            raise BoxFailed(
                f"nothing can be loaded in advance for {name}: {why}; see `preload` in its settings"
            )
        self.control.settimeout(FORKING_SECONDS)

    def resident(self) -> int:
        """Bytes of the largest process in its box: itself."""
        first = Path(f"/proc/{self.box.init_pid}/task/{self.box.init_pid}/children").read_text().split()
        return max((memory_of(int(pid), "VmRSS") for pid in first), default=0)

    @property
    def worn(self) -> bool:
        """Whether it should make room for a new one."""
        return self.failed or not self.box.running or self.is_old()

    def is_old(self) -> bool:
        return self.forks >= MOST_FORKS or (self.forks % 100 == 99 and self.has_grown())

    def has_grown(self) -> bool:
        return self.resident() > self.size + MOST_GROWTH

    def open(self, spec: BoxSpec) -> Box:
        """A box with the agent in it, on the socket that ``spec`` passes. Raises BoxFailed.

        The zygote was held for it, and is released when the box is closed, or not made.
        """
        place = self.footing.place
        group = None
        try:
            group = place.make(*group_limits(spec.limits)) if place else None
            return Box(spec, self.fork(spec, group), group)
        except BaseException as error:
            self.release()
            if group is not None:
                group.kill()
                group.remove()
            if isinstance(error, OSError):
                raise BoxFailed(f"box {spec.name} could not be forked: {error}") from error
            raise

    def fork(self, spec: BoxSpec, group: Group | None) -> Started:
        with ExitStack() as kept, ExitStack() as theirs:
            uid = own_uid(spec, kept) if self.footing.as_root else os.getuid()
            status, status_writer = pipe(kept, theirs)
            words, words_writer = pipe(kept, theirs)
            os.set_blocking(words_writer, False)
            line, inits_end = line_to_init(kept, theirs) if spec.twice else (None, ())
            passed = [status_writer, words_writer, *inits_end, *spec.pass_fds]
            for entrance in group.entrances if group else ():
                passed.append(os.open(entrance, os.O_WRONLY | os.O_CLOEXEC))
                theirs.callback(os.close, passed[-1])
            init = self.ask(entry_order(spec, self.footing, uid).to_bytes(), passed, words)
            kept.callback(os.close, init)
            started = Started(uid, None, pid_of(init), init, init, status, words, kept, line)
            kept.callback(self.release)
            return replace(started, held=kept.pop_all())

    def ask(self, order: bytes, passed: list[int], words: int) -> int:
        """The descriptor of the new box's init."""
        with self.lock:
            if self.failed:
                raise BoxFailed("its zygote failed before, and is started again")
            self.forks += 1
            try:
                socket.send_fds(self.control, [order], passed)
                _, descriptors, _, _ = socket.recv_fds(self.control, 1, 1)
            except OSError:
                self.failed = True  # its answer, if it comes, must not be taken for another's
                raise
            self.failed = not descriptors
        if not descriptors:
            raise BoxFailed(
                drain(words).decode(errors="replace") or "its zygote is gone, and is started again"
            )
        return descriptors[0]

    def hold(self) -> None:
        """Keeps it from being closed until as many boxes are closed, or not made."""
        with self.lock:
            self.live += 1

    def release(self) -> None:
        with self.lock:
            self.live -= 1

    def close(self) -> None:
        self.owned.close()


@dataclass(frozen=True)
class Kind:
    """What boxes of one zygote have in common."""

    binds: tuple[Bind, ...]
    files: tuple[BoxFile, ...]
    hide: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    loopback: bool
    modules: tuple[str, ...]


def why_cold(spec: BoxSpec) -> str:
    """Why a box like this can't be forked, "" where it can: it would have to share what is its own."""
    if spec.scratch or any(bind.writable for bind in spec.binds):
        return "what it may write would be all other boxes' too"
    if spec.cpus or spec.uid is not None:
        return "it has cores or a uid of its own"
    if spec.diagnose:
        return "what it writes on stderr is wanted"
    hidden = hidden_by_private((*interpreter().roots, *(Path(bind.target) for bind in spec.binds)))
    return f"{hidden[0]} would be hidden by its own {PRIVATE[0]}" if hidden else ""


@functools.lru_cache(maxsize=64)
def hidden_by_private(seen: tuple[Path, ...]) -> tuple[Path, ...]:
    """Which of the paths lie below a folder that each box has of its own."""
    return tuple(path for path in seen if any(path.is_relative_to(folder) for folder in PRIVATE))


def kind_of(spec: BoxSpec, modules: tuple[str, ...]) -> Kind:
    """Raises ValueError for a box that can't be forked."""
    if reason := why_cold(spec):
        raise ValueError(f"box {spec.name} can't be forked: {reason}")
    return Kind(spec.binds, spec.files, spec.hide, tuple(sorted(spec.env.items())), spec.loopback, modules)


class WarmBoxes:
    """A zygote for each kind of box that was asked for, as long as it is good."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.zygotes: dict[Kind, Zygote] = {}
        self.retired: list[Zygote] = []
        # Boxes that bubblewrap makes die with the thread that opened them, so a thread is kept for that.
        self.keeper = ThreadPoolExecutor(1, thread_name_prefix="mlsys-zygotes")

    def open(self, spec: BoxSpec, modules: tuple[str, ...]) -> Box:
        """A box like ``spec``, whose program is the agent. Raises HostUnfit or BoxFailed."""
        for last in (False, True):
            zygote = self.take(spec, modules)
            try:
                return zygote.open(spec)
            except BoxFailed:
                if last or not zygote.failed:
                    raise
        raise AssertionError("unreachable")

    def prepare(self, spec: BoxSpec, modules: tuple[str, ...]) -> None:
        """Starts a zygote for boxes like ``spec`` in the background, unless there is one or none can be."""

        def start() -> None:
            # RuntimeError: all was closed before it came to that.
            with contextlib.suppress(SandboxError, RuntimeError):
                self.take(spec, modules).release()

        if not why_cold(spec):
            threading.Thread(target=start, name="mlsys-prepare", daemon=True).start()

    def take(self, spec: BoxSpec, modules: tuple[str, ...]) -> Zygote:
        """A zygote that is good, held for one box; started where there is none."""
        kind = kind_of(spec, modules)
        with self.lock:
            known = self.zygotes.get(kind)
            if known is not None and known.worn:
                self.retired.append(self.zygotes.pop(kind))
            if kind not in self.zygotes:
                self.zygotes[kind] = self.keeper.submit(Zygote, spec, modules, this_host()).result()
            self.zygotes[kind].hold()
            self.clear_retired()
            return self.zygotes[kind]

    def clear_retired(self) -> None:
        for each in [each for each in self.retired if not each.live]:
            self.retired.remove(each)
            self.keeper.submit(each.close)

    def close(self) -> None:
        with self.lock:
            every, self.zygotes, self.retired = [*self.zygotes.values(), *self.retired], {}, []
            for each in every:
                self.keeper.submit(each.close).result()
            self.keeper.shutdown()

    def __enter__(self) -> WarmBoxes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def zygote_spec(spec: BoxSpec, modules: tuple[str, ...], control: int, program: int) -> BoxSpec:
    """The box of a zygote for boxes like ``spec``."""
    python = interpreter().executable
    return replace(
        spec,
        argv=(python, "-m", "autograder.sandbox.zygote", str(control), str(program), *modules),
        limits=ZYGOTE_LIMITS,
        pass_fds=(control, program),
        name=f"zygote of {spec.name}",
        diagnose=True,
        starts_on=(),
        uid=0,
        twice=False,
        forks=True,
    )


def box_program(spec: BoxSpec, footing: Footing, owner: ExitStack) -> int:
    """A descriptor of the filter that its boxes load."""
    return memory_file(box_filter(spec, footing), owner)


def line_to_init(ours: ExitStack, theirs: ExitStack) -> tuple[socket.socket, tuple[int]]:
    """A socket to a new box's init, and the descriptor of its end, each closed with its owner's stack."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.callback(near.close)
    theirs.callback(far.close)
    return near, (far.fileno(),)


def pid_of(descriptor: int) -> int:
    """The number here of the process that a descriptor is of. Raises BoxFailed where it's gone."""
    lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
    number = next((int(line.split()[1]) for line in lines if line.startswith("Pid:")), -1)
    if number <= 0:
        raise BoxFailed("the box's first process was gone at once")
    return number


__all__ = ["WarmBoxes", "Zygote"]
