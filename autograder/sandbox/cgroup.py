"""Control groups: what a box may use of memory and processes, and what it did use, kept by the kernel.

Theory of operation. `find_place` looks for a spot in the group tree where this process may make
groups: below its own group in cgroup v1 (so an outer limit on the platform still holds), or in v2
below the nearest ancestor that hands out the memory and pids controllers, as the rule against
processes in inner groups demands. `Place.make` makes one group a box there; the box's first process
writes itself into the group before it runs anything, and all its descendants are born in it.

Limits and counters of a group are files that nothing in a box can see. Where no spot is found the
answer is None, and the policy falls back to limits of single processes.

Groups carry the maker's pid and start time in their names, so that a later process can remove what a
killed one left, with whatever of its boxes is still in them. Nothing outside such a group is touched.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import secrets
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.descriptors import ready, text_of
from autograder.sandbox.errors import BoxFailed

_PREFIX = "mlsys"
_V1_CONTROLLERS = ("memory", "pids", "cpuacct")
_V1_FAIRNESS = "cpu"  # a group weighs as much as one process outside, however many run in it
_V2_CONTROLLERS = frozenset({"memory", "pids"})
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.002


@dataclass(frozen=True)
class GroupUsage:
    """What everything in a group used so far. ``peak_bytes`` includes the files it had cached."""

    cpu_seconds: float
    peak_bytes: int
    oom_kills: int
    refused_forks: int


@dataclass(frozen=True)
class Place:
    """Where boxes' groups are made: one directory (v2), or one a controller (v1)."""

    version: int
    bases: Mapping[str, Path]

    def make(self, memory_bytes: int, processes: int) -> Group:
        """A new group with its limits set. Raises BoxFailed; what was made is removed again."""
        name = f"{_owner_prefix(os.getpid())}{secrets.token_hex(4)}"
        group = Group(self.version, {key: base / name for key, base in self.bases.items()})
        try:
            group._create(memory_bytes, processes)
        except OSError as error:
            group.remove()
            raise BoxFailed(f"the control group {name} can't be made: {error}") from error
        return group

    def sweep(self) -> None:
        """Remove the groups that dead processes of this platform left here.

        A box dies with its maker, but for the moment in which bubblewrap has not armed itself yet.
        """
        for base in set(self.bases.values()):
            for left in base.glob(f"{_PREFIX}-*"):
                if _maker_is_dead(left.name):
                    _kill_in(left)
                    # Another process may be at the same work, or its last one still on its way out.
                    with contextlib.suppress(OSError):
                        left.rmdir()


class Group:
    """One box's group. Not thread-safe; `Box` serialises."""

    def __init__(self, version: int, folders: Mapping[str, Path]) -> None:
        self._version = version
        self._folders = dict(folders)

    @property
    def entrances(self) -> tuple[Path, ...]:
        """The files that a process writes 0 into to enter the group."""
        return tuple(folder / "cgroup.procs" for folder in self._distinct())

    @property
    def meters(self) -> tuple[Path, Path]:
        """The folders with its counters of CPU time and of memory."""
        return self._folders["cpuacct" if self._version == 1 else "cpu"], self._folders["memory"]

    def processes(self) -> set[int]:
        """Those in the group now."""
        return _pids_in(self._folders["pids"])

    def usage(self) -> GroupUsage:
        """The kernel's counters; still right after everything in the group has ended."""
        return self._usage_v1() if self._version == 1 else self._usage_v2()

    def oom_kills(self) -> int:
        """How many processes of it were ended for want of memory."""
        name = "memory.oom_control" if self._version == 1 else "memory.events"
        return _counter(self._read("memory", name), "oom_kill")

    def kill(self) -> None:
        """End everything in the group. Raises BoxFailed where something outlives SIGKILL."""
        with contextlib.suppress(OSError):
            self._write("pids", "pids.max", 0)
        if self._version == 2:
            with contextlib.suppress(OSError):
                self._write("pids", "cgroup.kill", 1)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while pids := _pids_in(self._folders["pids"]):
            if time.monotonic() > deadline:
                raise BoxFailed(f"processes {sorted(pids)} outlive SIGKILL; the host needs a look")
            _kill_in(self._folders["pids"])
            time.sleep(_PAUSE_SECONDS)

    def remove(self) -> None:
        """Remove the group, waiting for the last zombies in it. Raises BoxFailed where it can't be."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for folder in self._distinct():
            while not _removed(folder):
                if time.monotonic() > deadline:
                    raise BoxFailed(f"the control group {folder} can't be removed: processes are left in it")
                time.sleep(_PAUSE_SECONDS)

    def _distinct(self) -> list[Path]:
        return list(dict.fromkeys(self._folders.values()))

    def _create(self, memory_bytes: int, processes: int) -> None:
        for folder in self._distinct():
            folder.mkdir()
        self._write("pids", "pids.max", processes)
        if self._version == 1:
            self._write("memory", "memory.limit_in_bytes", memory_bytes)
            self._write_if_there("memory", "memory.memsw.limit_in_bytes", memory_bytes)
            # Version 1 counts the buffers of TCP apart, and not at all without this: one box could take
            # what the whole host has for them, and nobody's connections would go on.
            self._write_if_there("memory", "memory.kmem.tcp.limit_in_bytes", memory_bytes // 4)
        else:
            self._write("memory", "memory.max", memory_bytes)
            self._write_if_there("memory", "memory.swap.max", 0)

    def _write(self, controller: str, name: str, value: int) -> None:
        descriptor = os.open(self._file(controller, name), os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, b"%d" % value)
        finally:
            os.close(descriptor)

    def _write_if_there(self, controller: str, name: str, value: int) -> None:
        # Kernels without swap accounting lack the file; there the plain limit has to do.
        with contextlib.suppress(FileNotFoundError):
            self._write(controller, name, value)

    def _read(self, controller: str, name: str) -> str:
        return text_of(self._file(controller, name))

    def _file(self, controller: str, name: str) -> str:
        return f"{self._folders[controller]}/{name}"

    def _usage_v1(self) -> GroupUsage:
        return GroupUsage(
            cpu_seconds=group_cpu(self.meters[0]) / 1e9,
            peak_bytes=int(self._read("memory", "memory.max_usage_in_bytes")),
            oom_kills=self.oom_kills(),
            refused_forks=_counter(self._read("pids", "pids.events"), "max"),
        )

    def _usage_v2(self) -> GroupUsage:
        peak = 0
        with contextlib.suppress(FileNotFoundError):
            peak = int(self._read("memory", "memory.peak"))  # since Linux 5.19
        return GroupUsage(
            cpu_seconds=group_cpu(self.meters[0]) / 1e9,
            peak_bytes=peak,
            oom_kills=self.oom_kills(),
            refused_forks=_counter(self._read("pids", "pids.events"), "max"),
        )


def group_cpu(folder: Path) -> int:
    """CPU nanoseconds that the group of this folder has used, in either version."""
    with contextlib.suppress(FileNotFoundError):
        return int(text_of(f"{folder}/cpuacct.usage"))
    return _counter(text_of(f"{folder}/cpu.stat"), "usage_usec") * 1000


def find_place() -> Place | None:
    """Where this process may make groups with memory and pids limits, or None."""
    place = _place_v1() or _place_v2()
    if place is not None:
        place.sweep()
    return place


def _place_v1() -> Place | None:
    mounts = _mounts("cgroup")
    own = _own_groups()
    bases: dict[str, Path] = {}
    for controller in (*_V1_CONTROLLERS, _V1_FAIRNESS):
        found = [mount for mount in mounts if controller in mount.options]
        base = found[0].locate(own[controller]) if found and controller in own else None
        if base is not None and os.access(base, os.W_OK):
            bases[controller] = base
    if not bases.keys() >= set(_V1_CONTROLLERS):
        return None
    return Place(1, bases) if _works(Place(1, bases)) else None


def _place_v2() -> Place | None:
    mounts = _mounts("cgroup2")
    own = _own_groups().get("")
    base = mounts[0].locate(own) if mounts and own is not None else None
    while base is not None and (base / "cgroup.controllers").exists():
        if os.access(base, os.W_OK) and _hands_out_controllers(base):
            place = Place(2, dict.fromkeys(("memory", "pids", "cpu"), base))
            if _works(place):
                return place
        base = base.parent
    return None


def _hands_out_controllers(base: Path) -> bool:
    handed = base / "cgroup.subtree_control"
    if set(handed.read_text().split()) >= _V2_CONTROLLERS:
        return True
    # Refused where the group has processes of its own, as every inner group but the root must not.
    with contextlib.suppress(OSError):
        handed.write_text(" ".join(f"+{controller}" for controller in sorted(_V2_CONTROLLERS)))
    return set(handed.read_text().split()) >= _V2_CONTROLLERS


def _works(place: Place) -> bool:
    """Make a group, have a process enter it, and remove it: rights on the folder don't say enough."""
    try:
        group = place.make(memory_bytes=1 << 24, processes=4)
    except BoxFailed:
        return False
    try:
        return _a_process_enters(group.entrances)
    finally:
        group.remove()


def _a_process_enters(entrances: Iterable[Path]) -> bool:
    script = 'for f in "$@"; do echo 0 > "$f" || exit 1; done'
    command = ["/bin/sh", "-c", script, "enter", *map(str, entrances)]
    null = os.open(os.devnull, os.O_RDWR)
    try:
        quiet = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 1, 2)]
        pid = os.posix_spawn(command[0], command, {}, file_actions=quiet)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(null)


@dataclass(frozen=True)
class _Mount:
    root: Path
    point: Path
    options: frozenset[str]

    def locate(self, group: str) -> Path | None:
        """The folder of a group as /proc/self/cgroup names it, or None outside this mount."""
        path = Path(group)
        if not path.is_relative_to(self.root):
            return None
        folder = self.point / path.relative_to(self.root)
        return folder if folder.is_dir() else None


def _mounts(kind: str) -> list[_Mount]:
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        fields, tail = before.split(), after.split()
        if tail[0] == kind:
            found.append(_Mount(Path(fields[3]), Path(fields[4]), frozenset(tail[-1].split(","))))
    return found


def _own_groups() -> dict[str, str]:
    """This process's group for each v1 controller, and under "" its v2 group."""
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        own.update(dict.fromkeys(controllers.split(","), group))
    return own


def _counter(text: str, name: str) -> int:
    """One number of a "name number" file; 0 where the kernel doesn't keep it."""
    return next((int(line.split()[1]) for line in text.splitlines() if line.split()[0] == name), 0)


def _pids_in(group: Path) -> set[int]:
    try:
        return {int(pid) for pid in (group / "cgroup.procs").read_text().split()}
    except OSError as error:
        # Two processes may sweep at once: a file of a group that the other one has removed is there no more,
        # or, where it was open already, has no device.
        if error.errno not in (errno.ENOENT, errno.ENODEV):
            raise
    return set()


def _kill_in(group: Path) -> None:
    for pid in _pids_in(group):
        # The descriptor holds the process fast: its number can't come to mean another one in between.
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                if pid in _pids_in(group):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    ready(descriptor, _PAUSE_SECONDS)
            finally:
                os.close(descriptor)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno == errno.EBUSY:
            return False
        raise
    return True


@functools.lru_cache(maxsize=1)
def _owner_prefix(own: int) -> str:
    return f"{_PREFIX}-{_pid_namespace()}-{own}-{_start_time(own)}-"


def _maker_is_dead(name: str) -> bool:
    """Whether a group's maker is gone, which only a process of the same pid namespace can tell."""
    parts = name.split("-")
    if len(parts) != 5 or parts[1] != _pid_namespace() or not parts[2].isdecimal():
        return False
    return _start_time(int(parts[2])) != parts[3]


def _pid_namespace() -> str:
    return str(Path("/proc/self/ns/pid").stat().st_ino)


def _start_time(pid: int) -> str:
    """The process's start time in clock ticks, "" where there is none by that number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rpartition(")")[2].split()[19]
