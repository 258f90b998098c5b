"""What a program in a box can do: run inside one by the host check and the tests, never outside.

Contract: ``python probe.py FD CANARY…`` tries what a box must refuse and writes one JSON object to FD, from
the name of each `host` check to what is wrong, "" for nothing. A CANARY is a file of the host that the
box must not see. Standard library only, and nothing of this project.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

_ALLOWED_AT_ROOT = {
    "bin",
    "sbin",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "usr",
    "etc",
    "proc",
    "dev",
    "tmp",
    "opt",
    "run",
}
_CLONE_NEWUSER = 0x10000000
_DANGEROUS = {  # by the numbers of x86_64, the only machine that has boxes
    "ptrace": 101,
    "add_key": 248,
    "perf_event_open": 298,
    "process_vm_writev": 311,
    "bpf": 321,
    "userfaultfd": 323,
    "io_uring_setup": 425,
    "pidfd_getfd": 438,
}
_MOST_FORKS = 4096


def network() -> str:
    """No interface but loopback, no socket but unix ones."""
    interfaces = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
    others = [name for name in interfaces if name != "lo"]
    if others:
        return f"network interfaces are there: {', '.join(others)}"
    for family in (socket.AF_INET, socket.AF_INET6, getattr(socket, "AF_VSOCK", 40), socket.AF_PACKET):
        with contextlib.suppress(OSError):
            socket.socket(family, socket.SOCK_STREAM).close()
            return f"a socket of family {int(family)} can be made"
    return ""


def writing() -> str:
    """Nothing outside the box's own folders takes a file."""
    executable = Path(sys.executable).parent
    for folder in (
        "/",
        "/usr",
        "/etc",
        "/dev",
        "/opt",
        "/proc/sys/kernel",
        str(executable),
        str(Path(__file__).parent),
    ):
        with contextlib.suppress(OSError):
            Path(folder, "mlsys-probe").write_text("")
            return f"{folder} can be written"
    return ""


def files(canaries: list[str]) -> str:
    """Nothing of the host but the system, and the interpreter's own folders."""
    seen = [canary for canary in canaries if Path(canary).exists()]
    if seen:
        return f"files of the host are visible: {', '.join(seen)}"
    mine = {
        Path(prefix).parts[1] for prefix in (sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve()))
    }
    strange = {entry.name for entry in Path("/").iterdir()} - _ALLOWED_AT_ROOT - mine
    if strange:
        return f"folders of the host are visible: {', '.join(sorted(strange))}"
    secrets = [
        path for path in ("/etc/shadow", "/etc/passwd", "/root/.ssh", "/var/run") if Path(path).exists()
    ]
    return f"files of the host are visible: {', '.join(secrets)}" if secrets else ""


def calls() -> str:
    """Calls that have given away kernels, and other processes, don't reach this one."""
    libc = ctypes.CDLL(None, use_errno=True)
    for name, number in _DANGEROUS.items():
        libc.syscall(number, -1, -1, -1, -1, -1, -1)
        if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            return f"the kernel answers to {name}"
    return ""


def processes() -> str:
    """No process is visible but this one, its first, and whatever stands between them."""
    for file in ("/proc/1/mem", "/proc/self/mem"):
        with contextlib.suppress(OSError):
            os.close(os.open(file, os.O_RDWR))
            return f"{file} can be written"
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return "" if max(pids) < 100 and len(pids) < 8 else f"{len(pids)} processes are visible"


def privileges() -> str:
    """No capability, no way to one, and a filter on system calls."""
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    held = [name for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(status[name], 16)]
    if held or os.getuid() == 0:
        return f"the program has privileges: uid {os.getuid()}, {' '.join(held)}"
    if status["NoNewPrivs"] != "1":
        return "a set-uid program could give privileges"
    return "" if status["Seccomp"] == "2" else "no seccomp filter is loaded"


def namespaces() -> str:
    """No namespace of its own, in which it would be root again."""
    libc = ctypes.CDLL(None, use_errno=True)
    return "a new user namespace can be made" if libc.unshare(_CLONE_NEWUSER) == 0 else ""


def fork_limit() -> str:
    """The kernel refuses a process before there are very many."""
    children = []
    try:
        for _ in range(_MOST_FORKS):
            child = os.fork()
            if child == 0:
                # Waits for the end of its parent's interest, which is a signal.
                os.read(os.pipe()[0], 1)
                os._exit(0)
            children.append(child)
    except OSError:
        return ""
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
    return f"{_MOST_FORKS} processes could be started"


def memory_limit(megabytes: int = 512) -> str:
    """A child that takes more than the box's limit does not get it."""
    child = os.fork()
    if child == 0:
        try:
            taken = bytearray(megabytes << 20)
        except MemoryError:
            os._exit(1)
        os._exit(0 if taken else 1)
    _, status = os.waitpid(child, 0)
    return f"{megabytes} MB of memory could be taken" if status == 0 else ""


def file_limit(megabytes: int = 64) -> str:
    """Neither /tmp nor /dev/shm takes more than its size."""
    piece = bytes(1 << 20)
    for folder in ("/tmp", "/dev/shm"):  # noqa: S108 - the box's own
        written = 0
        with contextlib.suppress(OSError):
            for number in range(megabytes):
                Path(folder, f"probe-{number}").write_bytes(piece)
                written += 1
        for number in range(megabytes):
            Path(folder, f"probe-{number}").unlink(missing_ok=True)
        if written == megabytes:
            return f"{megabytes} MB could be written to {folder}"
    return ""


def main(arguments: list[str]) -> None:
    descriptor, canaries = int(arguments[0]), arguments[1:]
    trials: dict[str, Callable[[], str]] = {
        "network": network,
        "writing": writing,
        "files": lambda: files(canaries),
        "processes": processes,
        "privileges": privileges,
        "namespaces": namespaces,
        "system calls": calls,
        "fork limit": fork_limit,
        "disk limit": file_limit,
        "memory limit": memory_limit,
    }
    with open(descriptor, "w") as answer:
        json.dump({name: trial() for name, trial in trials.items()}, answer)


if __name__ == "__main__":
    main(sys.argv[1:])
