"""What a caller asks of a box. Records only; `policy` turns them into a command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.sandbox.limits import Limits

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The policy's own; a bind there would cover what it put there, or show the host's.
_RESERVED = ("/proc", "/dev", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/sys")


@dataclass(frozen=True)
class Bind:
    """A file or folder of the host that the box sees, read-only unless ``writable``.

    Everything below ``source`` is shown to the student: name the smallest thing that does. A
    writable one is a hole in the limit on disk space, and in root mode the caller must let the
    box's uid write there.
    """

    source: Path
    target: str
    writable: bool = False

    def __post_init__(self) -> None:
        check_target(self.target)
        if not Path(self.source).is_absolute():
            raise ValueError(f"the source of a bind must be an absolute path, not {self.source}")
        if Path(self.source).resolve() == Path("/"):
            raise ValueError("the host's root folder can't be bound into a box")


@dataclass(frozen=True)
class BoxFile:
    """A read-only file made of bytes; nothing of it touches the host's disk."""

    target: str
    content: bytes

    def __post_init__(self) -> None:
        check_target(self.target)


@dataclass(frozen=True)
class Scratch:
    """An empty folder in memory that the program may write up to ``kb`` kilobytes into."""

    target: str
    kb: int

    def __post_init__(self) -> None:
        check_target(self.target)
        if self.kb <= 0:
            raise ValueError(f"{self.target}: a size must be positive, not {self.kb}")


@dataclass(frozen=True)
class BoxSpec:
    """One box.

    ``argv`` runs with stdin and stdout at /dev/null, in /tmp/home, with ``pass_fds`` at the same
    numbers as here. ``hide`` names top-level packages whose import must fail. ``cpus`` pins
    everything in the box to those cores; on ``starts_on`` it only starts, and may choose others.
    ``diagnose`` keeps the last of what the program wrote on stderr for our own eyes. ``name`` stands in
    error messages, never in the box.

    ``loopback`` lets programs open internet sockets, which reach the box's own loopback and nothing
    else: the box has a network namespace of its own. ``uid`` is who the program is in root mode, where
    files that it keeps must stay its own; by default a uid that no other box has.

    ``twice``: once its program is done with, the box can take a second one (see `Box.vacate`); one that isn't
    forked can't.

    ``forks``: the program makes boxes within this one (see `zygote`) and keeps the privileges for that, so it
    has to be ours, and nobody else's code may run in it.
    """

    argv: tuple[str, ...]
    limits: Limits
    binds: tuple[Bind, ...] = ()
    files: tuple[BoxFile, ...] = ()
    scratch: tuple[Scratch, ...] = ()
    hide: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    cpus: tuple[int, ...] = ()
    starts_on: tuple[int, ...] = ()
    name: str = "box"
    diagnose: bool = False
    loopback: bool = False
    uid: int | None = None
    forks: bool = False
    twice: bool = False

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0].startswith("/"):
            raise ValueError(f"box {self.name}: argv must begin with an absolute path, not {self.argv[:1]}")
        for word in (*self.argv, *self.env.values()):
            if "\0" in word:
                raise ValueError(f"box {self.name}: a zero byte in {word!r}")
        for name in self.env:
            if not _ENV_NAME.fullmatch(name):
                raise ValueError(f"box {self.name}: {name!r} is not the name of an environment variable")
        if any(descriptor < 3 for descriptor in self.pass_fds):
            raise ValueError(f"box {self.name}: stdin, stdout and stderr of a box are the platform's")


def check_target(target: str) -> None:
    """A path in the box at which something may be put. Raises ValueError."""
    path = PurePosixPath(target)
    plain = path.is_absolute() and str(path) == target and ".." not in path.parts
    if not plain or "\0" in target or len(path.parts) < 2:
        raise ValueError(f"a target in a box must be a plain absolute path, not {target!r}")
    for reserved in _RESERVED:
        if path.is_relative_to(reserved):
            raise ValueError(f"{target} lies in {reserved}, the policy's own; choose a path such as /opt/…")
