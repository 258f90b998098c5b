"""How a process enters a box of its own, without starting a program: it goes on with the memory that it has.

Theory of operation. What bubblewrap, prlimit and setpriv do for a program that they start, a process does
here to itself, in the same order and from the same lists: control groups, new namespaces, private mounts
(`mounts`), limits, a uid, no capability, the filter (`seccomp`). It is forked into namespaces of its own, as
the box's init, and forks the program. It waits for the program, reports how it ended, as bubblewrap does,
and ends too; with it the kernel ends everything else in the box. Where the order says so, it can be told to
stay for a second program: it ends all other processes and mounts its folders in memory anew first. Until then
it keeps the privileges for that.

Contract: fail closed. Whatever doesn't succeed ends the process that tried, before the program begins, and
then no exit status is reported. Linux only, standard library only.

Trusts: whoever gave the `Order`. Nothing of a student's has run in a process that calls any of this.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.mounts import Kind, Mount
from autograder.sandbox.syscalls import TABLES

FAILED = 125
_DESCRIPTOR, _NEW_USER, _NEW_GROUPS = 0x1000, 0x10000000, 0x02000000
# Mounts, host name, System V objects, processes, network.
_NEW_OTHERS = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_AGAIN, _BIND, _RECURSIVE, _PRIVATE = 32, 4096, 16384, 1 << 18
_UNMOUNT_ANYWAY = 2
_SET_DUMPABLE, _SET_SECCOMP, _DROP_FROM_BOUNDING, _SET_NO_NEW_PRIVILEGES, _AMBIENT = 4, 22, 24, 38, 47
_FILTER, _CLEAR_ALL = 2, 4
_CAPABILITY_VERSION = 0x20080522
STAY = b"S"  # said to an init
EMPTY = "empty"  # what it reports then
# What is worked out here is there in every box's first processes; in each of them it would take longer.
_IGNORED = tuple(map(int, signal.valid_signals() - {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP}))
_IGNORE = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
_LIBC.signal.restype = ctypes.c_void_p
_LIBC.prctl.argtypes = (ctypes.c_int, *[ctypes.c_void_p] * 4)
_HOLDING = ctypes.PyDLL(None, use_errno=True)  # calls that keep the interpreter's lock
_HOLDING.syscall.argtypes = (ctypes.c_long,) * 6
_HOLDING.syscall.restype = ctypes.c_long
_HOLDING.fork.argtypes = ()


class _Filter(ctypes.Structure):
    """``struct sock_fprog`` of Linux."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@dataclass(frozen=True)
class Order:
    """What a box is to be.

    ``uid``: who the program becomes, None to stay who it is, in a user namespace of its own. ``passed``: how
    many descriptors the program has. ``cpus``: the cores it starts on. ``files``: how many each folder in
    memory takes, None where a group counts them. ``limits``: (resource, soft, hard) each. ``twice``: it can
    take a second program.
    """

    uid: int | None
    passed: int
    cpus: tuple[int, ...]
    mounts: tuple[Mount, ...]
    limits: tuple[tuple[int, int, int], ...]
    files: int | None
    twice: bool

    def to_bytes(self) -> bytes:
        return json.dumps({**vars(self), "mounts": [vars(each) for each in self.mounts]}).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Order:
        said = json.loads(text)
        mounts = tuple(Mount(Kind(each.pop("kind")), **each) for each in said.pop("mounts"))
        limits = tuple(tuple(each) for each in said.pop("limits"))
        return cls(mounts=mounts, limits=limits, cpus=tuple(said.pop("cpus")), **said)


def fork_alone() -> int:
    """As `os.fork`, for a process with one thread. Raises OSError.

    What Python and its libraries do in a forked process (other threads' locks, random numbers) takes as long
    as the fork. Locks are free where there is one thread; what must not be the same in each process is the
    new process's to make anew.
    """
    child: int = _HOLDING.fork()
    if child < 0:
        _check(child, "fork")
    return child


def fork_into_namespaces(*, own_user: bool) -> int | None:
    """Returns a descriptor of a new process, the init of namespaces of its own; in it, None. Raises OSError.

    As `fork_alone`, it is for a process with one thread.
    """
    descriptor = ctypes.c_int(-1)
    flags = _NEW_OTHERS | (_NEW_USER if own_user else 0) | _DESCRIPTOR | signal.SIGCHLD
    number = TABLES[platform.machine()].numbers["clone"]
    child = _HOLDING.syscall(number, flags, 0, ctypes.addressof(descriptor), 0, 0)
    if child == 0:
        return None
    if child < 0:
        _check(child, "clone")
    return descriptor.value


def enter(
    order: Order,
    owner: tuple[int, int],
    *,
    entrances: Sequence[int],
    status: int,
    words: int,
    line: int | None,
    program: Callable[[int], None],
    keep: Sequence[int],
    filter_program: bytes,
) -> None:
    """Makes this process a box's init: it never returns.

    ``owner`` are the uid and gid that it had before it was forked into its namespaces, ``entrances``
    descriptors of the groups' files, ``status`` and ``words`` of pipes to the outside. ``program`` runs in
    the box with the descriptors ``keep`` and no others; it is given the first of them. On ``line`` an init
    that can take a second program is told so, with ``STAY`` before the first one's end, and gets that one's
    descriptors.
    """
    try:
        for entrance in entrances:
            os.write(entrance, b"0")
        os.sched_setaffinity(0, order.cpus)
        os.setsid()
        if order.uid is None:
            stay(*owner)
        # The groups that it has entered are the root of what it sees of them.
        _check(_LIBC.unshare(_NEW_GROUPS), "unshare")
        mount_privately(order)
        handlers = harden()
        child = fork_alone()
        if child and line is not None:
            _close_all_but((status, line))
            keep = wait_for_second(order, child, status, line)
            child = fork_alone()
        if child:
            _close_all_but((status,))
            be_init(child, status)
        restore(handlers)
        be_program(order, program, keep, filter_program)
    except BaseException as error:  # the outside must learn why, whatever it was
        tell_why(words, error)
    finally:
        os._exit(FAILED)


def tell_why(words: int, error: BaseException) -> None:
    with contextlib.suppress(OSError):
        os.write(words, f"a process could not enter its box: {error!r}"[:2000].encode())


def stay(uid: int, gid: int) -> None:
    """The same user in a user namespace of its own. Raises OSError."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def mount_privately(order: Order) -> None:
    """Raises OSError. This process is the first of its pid namespace."""
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    for each in order.mounts:
        _perform(each, order.files)
        if each.kind is Kind.PROC and order.uid is None:
            # The second lock on that door, as `bwrap --disable-userns` is; the filter is the first.
            Path("/proc/sys/user/max_user_namespaces").write_text("0")


def be_init(child: int, status: int) -> None:
    """Waits for the program and reports how it ended. Never returns."""
    give_up_privileges(None)
    report_end(child, status)
    os._exit(0)


def wait_for_second(order: Order, child: int, status: int, line: int) -> list[int]:
    """Waits for the first program, as `be_init` does, and returns only where a second one is to come: its
    descriptors, in a box where nothing of the first is left. Raises OSError."""
    report_end(child, status)
    orders = socket.socket(fileno=line)
    try:
        stays = orders.recv(1, socket.MSG_DONTWAIT) == STAY
    except BlockingIOError:
        stays = False
    if not stays:
        os._exit(0)
    end_all_others()
    mount_anew(order)
    os.write(status, json.dumps({EMPTY: 1}).encode() + b"\n")
    _, descriptors, _, _ = socket.recv_fds(orders, 1, order.passed)
    if not descriptors:
        os._exit(0)
    orders.close()
    return descriptors


def harden() -> list[int | None]:
    """Nothing in the box can reach this process from now on. Returns what it did with each signal so far.

    Before there is anything else in the box: a program may run before its init does.
    """
    # An init without handlers gets no signal from its own box. Python brings a handler for SIGINT.
    handlers = [_LIBC.signal(number, _IGNORE) for number in _IGNORED]
    # In a user namespace of its own the program has this process's uid.
    _check(_LIBC.prctl(_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")
    return handlers


def restore(handlers: Sequence[int | None]) -> None:
    """What `harden` found."""
    for number, handler in zip(_IGNORED, handlers, strict=True):
        _LIBC.signal(number, handler)


def report_end(child: int, status: int) -> None:
    """Waits for the program's end, and for whatever comes to this process to be waited for until then."""
    while True:
        pid, ended = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(ended)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            milliseconds = int((used.ru_utime + used.ru_stime) * 1000)
            report = {"exit-code": code if code >= 0 else 128 - code, "cpu-ms": milliseconds}
            os.write(status, json.dumps(report).encode() + b"\n")
            return


def end_all_others() -> None:
    """Returns when this process is alone in its pid namespace."""
    with contextlib.suppress(ProcessLookupError):  # it is
        os.kill(-1, signal.SIGKILL)
    # Whose parent ended comes to this process, so none is left when it has no child.
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def mount_anew(order: Order) -> None:
    """New folders in memory, and terminals, in the place of those that a program had. Raises OSError."""
    steps = [each for each in order.mounts if not each.target.startswith("/proc")]
    for each in reversed(steps):
        if each.kind is Kind.MEMORY:
            _unmount(each.target)
        elif each.kind is Kind.DEVICES:
            _unmount(f"{each.target}/pts")
    for each in steps:
        if each.kind in (Kind.MEMORY, Kind.DEVICES, Kind.FOLDER):
            _perform(each, order.files)


def be_program(
    order: Order, program: Callable[[int], None], keep: Sequence[int], filter_program: bytes
) -> None:
    """Runs the program as whom it is to be, with nothing else in its hands."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    _close_all_but(keep)
    for which, soft, hard in order.limits:
        resource.setrlimit(which, (soft, hard))
    give_up_privileges(order.uid)
    # A process that changed its uid may not look at itself; a program that is started may.
    _check(_LIBC.prctl(_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")
    load_filter(filter_program)
    program(keep[0])
    os._exit(0)


def give_up_privileges(uid: int | None) -> None:
    """All capabilities for good, and the identity where there is another one to take. Raises OSError."""
    for capability in range(64):
        if _LIBC.prctl(_DROP_FROM_BOUNDING, capability, 0, 0, 0) != 0:
            break  # past the last one that the kernel knows
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    _check(_LIBC.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0), "clear ambient capabilities")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _check(_LIBC.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    _check(_LIBC.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no new privileges")


def load_filter(program: bytes) -> None:
    """Raises OSError."""
    filtered = _Filter(len(program) // 8, program)
    _check(_LIBC.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(filtered), 0, 0), "seccomp")


def _perform(step: Mount, files: int | None) -> None:
    match step.kind:
        case Kind.PROC:
            _mount("proc", step.target, "proc", _NO_SUID | _NO_DEVICES | _NO_PROGRAMS)
        case Kind.MEMORY:
            count = "" if files is None else f",nr_inodes={files}"
            options = f"mode={step.mode:o},size={step.size}{count}"
            _mount("tmpfs", step.target, "tmpfs", _NO_SUID | _NO_DEVICES, options)
        case Kind.DEVICES:
            # The devices are there already, read-only; terminals would be everybody's.
            options = "newinstance,ptmxmode=0666,mode=620"
            _mount("devpts", f"{step.target}/pts", "devpts", _NO_SUID | _NO_PROGRAMS, options)
        case Kind.NOTHING:
            _mount("/dev/null", step.target, None, _BIND)
            _mount(None, step.target, None, _BIND | _AGAIN | _READ_ONLY | _NO_SUID | _NO_DEVICES)
        case Kind.FOLDER:
            Path(step.target).mkdir()
            Path(step.target).chmod(step.mode)
        case Kind.READ_ONLY:
            flags = _READ_ONLY | _NO_SUID | _NO_DEVICES | (_NO_PROGRAMS if step.target == "/proc" else 0)
            # /dev came read-only, and its devices would be gone with the flag.
            if step.target != "/dev":
                _mount(None, step.target, None, _BIND | _AGAIN | flags)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    done = _LIBC.mount(*words, ctypes.c_ulong(flags), options.encode() or None)
    _check(done, f"mount {target}")


def _close_all_but(kept: Iterable[int]) -> None:
    first = 3
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def _unmount(target: str) -> None:
    _check(_LIBC.umount2(target.encode(), _UNMOUNT_ANYWAY), f"unmount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
