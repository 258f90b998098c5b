"""What every box has mounted for itself alone, whoever mounts it: bubblewrap, or a process that enters a box.

Contract: `private_mounts` is the one list. In its order each step becomes words for bubblewrap (see `policy`)
or system calls (see `entry`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

HOME = "/tmp/home"  # noqa: S108 - a path inside the box, on its own tmpfs
_ANYBODYS = 0o1777
_SMALLEST = 4096

# What the kernel says there of itself and of others: addresses, keys, how often which device interrupts.
_HIDDEN_IN_PROC = (
    *("kallsyms", "kcore", "keys", "key-users", "interrupts", "latency_stats"),
    *("modules", "sched_debug", "timer_list", "timer_stats"),
)


class Kind(StrEnum):
    PROC = "proc"
    DEVICES = "devices"
    MEMORY = "memory"  # a folder in memory
    NOTHING = "nothing"  # an empty file that can't be written, over one that is there
    FOLDER = "folder"  # no mount, a folder in one
    READ_ONLY = "read-only"  # the mount at the target can't be written any more


@dataclass(frozen=True)
class Mount:
    """One step. ``size`` in bytes and ``mode`` are those of a folder in memory."""

    kind: Kind
    target: str
    size: int = 0
    mode: int = 0


def private_mounts(tmp_bytes: int) -> tuple[Mount, ...]:
    """The steps, for a box that may write so much into each of /tmp and /dev/shm."""
    hidden = [f"/proc/{name}" for name in _HIDDEN_IN_PROC if Path("/proc", name).is_file()]
    return (
        Mount(Kind.PROC, "/proc"),
        # As an ordinary user, the box's init has the program's uid: through /proc the program could write
        # into its memory and make it report another exit status, and read where on the host things lie.
        Mount(Kind.MEMORY, "/proc/1", _SMALLEST, 0o555),
        Mount(Kind.READ_ONLY, "/proc/1"),
        *(Mount(Kind.NOTHING, path) for path in hidden),
        Mount(Kind.READ_ONLY, "/proc"),
        Mount(Kind.DEVICES, "/dev"),
        Mount(Kind.MEMORY, "/dev/shm", tmp_bytes, _ANYBODYS),  # noqa: S108 - in the box
        # bubblewrap's /dev is a tmpfs of its own: writable, without a limit.
        Mount(Kind.READ_ONLY, "/dev"),
        Mount(Kind.MEMORY, "/tmp", tmp_bytes, _ANYBODYS),  # noqa: S108 - in the box
        Mount(Kind.FOLDER, HOME, mode=_ANYBODYS),
    )
