"""The policy of a box, written once: from a `BoxSpec` to the command line that makes it.

Theory of operation, from the outside in. A shell line enters the control group; taskset pins; then
bubblewrap makes new namespaces (no network), mounts a read-only system and nothing else of the host,
clears the environment and loads the seccomp filter. Inside, prlimit sets limits of single processes,
setpriv (in root mode) takes a uid of its own and drops every capability, and the last shell line waits
at the gate (see `launch`) and turns stdin, stdout and stderr to /dev/null.

Two footings. As root, no user namespace: bubblewrap can then bind from folders that only root may
enter. The program ends up as an unprivileged uid that no other box has, without capabilities. As an
ordinary user, all of it happens in a user namespace, and further ones are disabled.

Trusts: bubblewrap, util-linux, the kernel, and the caller's choice of what to bind.
"""

from __future__ import annotations

import functools
import math
import os
import resource
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.sandbox import uids
from autograder.sandbox.cgroup import Place, find_place
from autograder.sandbox.entry import Order
from autograder.sandbox.errors import HostUnfit
from autograder.sandbox.limits import Limits
from autograder.sandbox.mounts import HOME, Kind, Mount, private_mounts
from autograder.sandbox.python import SYSTEM_FOLDERS, Interpreter
from autograder.sandbox.spec import BoxSpec

_TOOL_PATH = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin"
_OPEN_FILES = 1024
_OUR_OPEN_FILES = 65536
_OWN_PROCESSES = 2  # bubblewrap outside the pid namespace, and as its first process
_RLIMIT_SIGPENDING = 11  # which the standard library does not name
_LIBRARY_MB = 1024  # address space that shared libraries and thread stacks take without using it

_OOM_SCORE = 500  # a host that runs out of memory ends boxes, which are tried again, and not us
_ENTER = """\
echo "$1" > /proc/self/oom_score_adj || exit 125
n=$2; shift 2
while [ "$n" -gt 0 ]; do echo 0 > "$1" || exit 125; shift; n=$((n-1)); done
exec "$@"
"""
# Until the program begins, stdin, stdout and stderr are pipes of ours: see `launch`.
_GATE = 'echo; read -r go || exit 125; exec "$@" </dev/null >/dev/null'
_SILENT_GATE = f"{_GATE} 2>/dev/null"

MOST_FILES = 32768
_COUNT_FILES = """\
n=$1; shift
for folder; do mount -o "remount,nosuid,nodev,nr_inodes=$n" "$folder" || exit 1; done
"""

# Of libraries that would start a thread for each core.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ONE_THREAD = dict.fromkeys(_THREADS, "1")
# Own names first, so that nothing of an installed platform is importable but what a caller binds.
OWN_PACKAGES = ("autograder", "course", "hub")


@dataclass(frozen=True)
class Tools:
    """The programs that make a box, by absolute path."""

    bwrap: str
    prlimit: str
    setpriv: str
    taskset: str
    nsenter: str
    shell: str = "/bin/sh"


@dataclass(frozen=True)
class Footing:
    """What this host lets this process do: one value for all boxes."""

    as_root: bool
    tools: Tools
    place: Place | None


@functools.cache
def this_host() -> Footing:
    """This process's footing, found out once. Raises HostUnfit where a program is missing.

    Raises this process's limit on open files too: the kernel counts descriptors that are on their way through
    sockets by user, and refuses to send one to whoever has as many of them as that limit. A box of the
    same user would reach a low limit for both.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _OUR_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OUR_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
    return Footing(as_root=can_change_uid(), tools=find_tools(), place=find_place())


def find_tools() -> Tools:
    """The programs a box needs, or a HostUnfit that names the packages to install."""
    names = ("bwrap", "prlimit", "setpriv", "taskset", "nsenter")
    paths = {tool: shutil.which(tool, path=_TOOL_PATH) for tool in names}
    missing = [tool for tool, path in paths.items() if path is None]
    if missing:
        raise HostUnfit(f"not found: {', '.join(missing)}. Install the packages bubblewrap and util-linux")
    return Tools(**{tool: path for tool, path in paths.items() if path is not None})


def can_change_uid() -> bool:
    """Whether this is a root that has the boxes' uids to give (one in a small container has not)."""
    if os.geteuid() != 0:
        return False
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    last = uids.FIRST + uids.COUNT
    return any(int(first) <= uids.FIRST and last <= int(first) + int(count) for first, _, count in ranges)


@dataclass(frozen=True)
class Descriptors:
    """Descriptors that bubblewrap reads or writes; it closes them before the program runs."""

    seccomp: int | None
    arguments: int
    status: int

    def all(self) -> tuple[int, ...]:
        return (*(() if self.seccomp is None else (self.seccomp,)), self.arguments, self.status)


def outer_command(
    spec: BoxSpec, footing: Footing, entrances: Sequence[Path], descriptors: Descriptors, uid: int
) -> list[str]:
    """The whole command line: into the group, onto the cores, into the box, and there the program."""
    words = (str(_OOM_SCORE), str(len(entrances)), *map(str, entrances))
    enter = [footing.tools.shell, "-c", _ENTER, "mlsys-box", *words]
    cores = spec.cpus or spec.starts_on
    pin = [footing.tools.taskset, "-c", ",".join(map(str, cores))]
    # The arguments go through a descriptor: a command line can be read by everybody, in the box too.
    box = [footing.tools.bwrap, "--args", str(descriptors.arguments), "--"]
    return [
        *enter,
        *(pin if cores else ()),
        *box,
        *_inner_command(spec, footing, uid),
    ]


def count_files_command(spec: BoxSpec, footing: Footing, mounts: int, user: int) -> list[str]:
    """The command that bounds the number of files in a box's folders in memory, for want of a group.

    bubblewrap bounds their bytes only, and the kernel's memory for an empty file is nobody's. ``mounts``
    and ``user`` are descriptors of the box's mount namespace and of the user namespace that owns it.
    """
    enter = [footing.tools.nsenter, f"--mount=/proc/self/fd/{mounts}"]
    if not footing.as_root:
        enter += [f"--user=/proc/self/fd/{user}", "--preserve-credentials"]
    folders = ["/dev/shm", "/tmp", *(each.target for each in spec.scratch)]  # noqa: S108 - in the box
    return [*enter, "--", footing.tools.shell, "-c", _COUNT_FILES, "box", str(MOST_FILES), *folders]


def group_limits(limits: Limits) -> tuple[int, int]:
    """Memory in bytes and number of processes for the box's control group."""
    return limits.memory_mb << 20, limits.processes + _OWN_PROCESSES


def _inner_command(spec: BoxSpec, footing: Footing, uid: int) -> list[str]:
    gate = [footing.tools.shell, "-c", _GATE if spec.diagnose else _SILENT_GATE, "box"]
    return [
        footing.tools.prlimit,
        *(each.word for each in process_limits(spec.limits, grouped=footing.place is not None)),
        "--",
        *(_drop_privileges(footing.tools.setpriv, uid) if footing.as_root and not spec.forks else ()),
        *gate,
        *spec.argv,
    ]


@dataclass(frozen=True)
class ProcessLimit:
    """One limit of each process in a box: its name for prlimit, its number, and the amounts."""

    name: str
    which: int
    soft: int
    hard: int

    @property
    def word(self) -> str:
        return f"--{self.name}={self.soft}:{self.hard}"


def process_limits(limits: Limits, *, grouped: bool) -> Iterator[ProcessLimit]:
    """The limits of a box's processes; ``grouped``: a control group counts memory and processes."""
    seconds = math.ceil(limits.cpu_seconds)
    # 1, not 0: a crash handler that the host's core_pattern pipes to is started in spite of 0.
    yield _limit("core", resource.RLIMIT_CORE, 1)
    yield _limit("rtprio", resource.RLIMIT_RTPRIO, 0)
    yield _limit("nice", resource.RLIMIT_NICE, 0)
    # Counted by user, in part: as an ordinary user the platform and all its boxes share what there is.
    ours = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    theirs = _OPEN_FILES if ours == resource.RLIM_INFINITY else min(_OPEN_FILES, ours // 2)
    yield _limit("nofile", resource.RLIMIT_NOFILE, theirs)
    yield _limit("sigpending", _RLIMIT_SIGPENDING, 512)
    yield _limit("memlock", resource.RLIMIT_MEMLOCK, 8 << 20)
    yield _limit("msgqueue", resource.RLIMIT_MSGQUEUE, 0)
    yield _limit("fsize", resource.RLIMIT_FSIZE, limits.file_mb << 20)
    # SIGXCPU at the first, which tells us why; SIGKILL at the second for whoever ignores it.
    yield _limit("cpu", resource.RLIMIT_CPU, seconds, seconds + 1)
    if not grouped:
        yield _limit("nproc", resource.RLIMIT_NPROC, limits.processes + _OWN_PROCESSES)
        yield _limit("data", resource.RLIMIT_DATA, limits.memory_mb << 20)
        yield _limit("as", resource.RLIMIT_AS, (limits.memory_mb + _LIBRARY_MB) << 20)


def _limit(name: str, which: int, soft: int, hard: int | None = None) -> ProcessLimit:
    """A limit, never above the one that already holds for us."""
    ours = resource.getrlimit(which)[1]
    most = math.inf if ours == resource.RLIM_INFINITY else ours
    return ProcessLimit(name, which, int(min(soft, most)), int(min(soft if hard is None else hard, most)))


def entry_order(spec: BoxSpec, footing: Footing, uid: int) -> Order:
    """What a process that enters a box has to do to itself (see `entry`)."""
    grouped = footing.place is not None
    limits = process_limits(spec.limits, grouped=grouped)
    return Order(
        uid=uid if footing.as_root else None,
        passed=len(spec.pass_fds),
        cpus=spec.starts_on or tuple(sorted(os.sched_getaffinity(0))),
        mounts=private_mounts(spec.limits.tmp_mb << 20),
        limits=tuple((each.which, each.soft, each.hard) for each in limits),
        files=None if grouped else MOST_FILES,
        twice=spec.twice,
    )


def _drop_privileges(setpriv: str, uid: int) -> list[str]:
    return [
        setpriv,
        *("--reuid", str(uid), "--regid", str(uid), "--clear-groups"),
        *("--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all", "--"),
    ]


def bwrap_arguments(
    spec: BoxSpec, footing: Footing, python: Interpreter, descriptors: Descriptors, data: Iterator[int]
) -> list[str]:
    """bubblewrap's own arguments. ``data`` yields descriptors for `data_contents`, in that order."""
    return [
        *_namespaces(spec, footing),
        *("--hostname", "box", "--new-session", "--die-with-parent"),
        *(() if descriptors.seccomp is None else ("--seccomp", str(descriptors.seccomp))),
        *("--json-status-fd", str(descriptors.status)),
        *_system(),
        *_kernel_file_systems(spec),
        *_binds(spec, python),
        *_scratch(spec),
        *_files(spec, data),
        *_hidden(spec, python, data),
        *("--remount-ro", "/"),
        *_environment(spec, python),
        *("--chdir", HOME),
    ]


def data_contents(spec: BoxSpec, python: Interpreter) -> list[bytes]:
    """The bytes of the files that bubblewrap makes up, in the order in which it reads them."""
    packages = [name for name, home in _homes(spec, python) if _can_speak(home)]
    return [*(file.content for file in spec.files), *map(_refusal, packages)]


def _namespaces(spec: BoxSpec, footing: Footing) -> list[str]:
    common = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if footing.as_root:
        # Only what is needed to give everything up, these included; and to make boxes, where it makes some.
        names = ("SETUID", "SETGID", "SETPCAP", *(("SYS_ADMIN", "KILL") if spec.forks else ()))
        kept = [word for name in names for word in ("--cap-add", f"CAP_{name}")]
        return [*common, "--cap-drop", "ALL", *kept]
    own_user = ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    return [*common, *own_user, *(() if spec.forks else ("--disable-userns",)), "--cap-drop", "ALL"]


def _system() -> Iterator[str]:
    yield from ("--perms", "0755", "--dir", "/usr", "--perms", "0755", "--dir", "/usr/local")
    top = [Path("/", name) for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32")]
    for folder in (*SYSTEM_FOLDERS, *top):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    yield from ("--perms", "0755", "--dir", "/etc")
    for file in ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives"):
        yield from ("--ro-bind-try", file, file)


def _kernel_file_systems(spec: BoxSpec) -> Iterator[str]:
    for step in private_mounts(spec.limits.tmp_mb << 20):
        # Boxes within a box get a /proc of their own only where that sees all of its own.
        covers = step.target.startswith("/proc") and step.kind is not Kind.PROC
        if not (covers and spec.forks):
            yield from _words(step)


def _words(step: Mount) -> tuple[str, ...]:
    match step.kind:
        case Kind.PROC:
            return ("--proc", step.target)
        case Kind.DEVICES:
            return ("--dev", step.target)
        case Kind.MEMORY:
            return ("--perms", f"{step.mode:04o}", "--size", str(step.size), "--tmpfs", step.target)
        case Kind.NOTHING:
            return ("--ro-bind", "/dev/null", step.target)
        case Kind.FOLDER:
            return ("--perms", f"{step.mode:04o}", "--dir", step.target)
        case Kind.READ_ONLY:
            return ("--remount-ro", step.target)


def _binds(spec: BoxSpec, python: Interpreter) -> Iterator[str]:
    for root in python.roots:
        yield from _parents(str(root))
        yield from ("--ro-bind", str(root), str(root))
        # Servers keep their settings there, tokens included; Python needs none of it.
        for private in (root / "etc", root / "var"):
            if private.is_dir() and not private.is_symlink():
                yield from ("--perms", "0755", "--size", "4096", "--tmpfs", str(private))
                yield from ("--remount-ro", str(private))
    for bind in spec.binds:
        yield from _parents(bind.target)
        yield from ("--bind" if bind.writable else "--ro-bind", str(bind.source), bind.target)


def _scratch(spec: BoxSpec) -> Iterator[str]:
    for each in spec.scratch:
        yield from _parents(each.target)
        yield from ("--perms", "1777", "--size", str(each.kb << 10), "--tmpfs", each.target)


def _files(spec: BoxSpec, data: Iterator[int]) -> Iterator[str]:
    for file in spec.files:
        yield from _parents(file.target)
        yield from ("--perms", "0444", "--ro-bind-data", str(next(data)), file.target)


def _parents(target: str) -> Iterator[str]:
    """Folders that bubblewrap would make on its own, but then for its own uid only."""
    for parent in reversed(PurePosixPath(target).parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(parent))


def _hidden(spec: BoxSpec, python: Interpreter, data: Iterator[int]) -> Iterator[str]:
    for _, home in _homes(spec, python):
        if home.is_dir():
            # An empty folder alone would still import, as a namespace package.
            yield from ("--perms", "0755", "--size", "4096", "--tmpfs", str(home))
            yield from ("--perms", "0444", "--ro-bind-data", str(next(data)), f"{home}/__init__.py")
            yield from ("--remount-ro", str(home))
        elif _can_speak(home):
            yield from ("--perms", "0444", "--ro-bind-data", str(next(data)), str(home))
        else:
            yield from ("--ro-bind", "/dev/null", str(home))


def _homes(spec: BoxSpec, python: Interpreter) -> list[tuple[str, Path]]:
    names = dict.fromkeys((*OWN_PACKAGES, *spec.hide))
    return [(name, home) for name in names for home in python.homes_of(name)]


def _can_speak(home: Path) -> bool:
    return home.is_dir() or home.suffix == ".py"


def _refusal(package: str) -> bytes:
    return (
        f'raise ModuleNotFoundError("No module named {package!r}: it is not part of this assignment",'
        f" name={package!r})\n"
    ).encode()


def _environment(spec: BoxSpec, python: Interpreter) -> Iterator[str]:
    variables = {
        "PATH": f"{python.prefix}/bin:/usr/bin:/bin",
        "HOME": HOME,
        "TMPDIR": "/tmp",  # noqa: S108 - in the box
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "MPLCONFIGDIR": f"{HOME}/.matplotlib",
        "IPYTHONDIR": f"{HOME}/.ipython",
        **ONE_THREAD,
        **spec.env,
    }
    yield "--clearenv"
    for name, value in variables.items():
        yield from ("--setenv", name, value)


def argument_bytes(arguments: Iterable[str]) -> bytes:
    """Arguments as ``bwrap --args`` reads them."""
    return b"".join(os.fsencode(argument) + b"\0" for argument in arguments)
