"""What this host can enforce: `mlsys doctor`'s source, and grading's permission to start.

Contract: `inspect_host` looks for what boxes need, then opens one and has a probe try in it what a box must
refuse. It leaves nothing behind and raises nothing: what is missing stands in the report, with what it means
and what to do. Grading refuses where ``can_isolate`` is False.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from autograder.sandbox.box import open_box
from autograder.sandbox.cgroup import Place
from autograder.sandbox.errors import HostUnfit, SandboxError
from autograder.sandbox.limits import Limits
from autograder.sandbox.policy import can_change_uid, find_tools, this_host
from autograder.sandbox.python import interpreter
from autograder.sandbox.seccomp import filter_program
from autograder.sandbox.spec import Bind, BoxSpec

_OLDEST_BWRAP = (0, 8)  # --size and --disable-userns
_SETTINGS = "/proc/sys"
_PROBE = "/opt/probe/probe.py"
_PROBE_SECONDS = 60.0
_MOST_ANSWER = 1 << 16
_PROBE_LIMITS = Limits(
    cell_seconds=_PROBE_SECONDS,
    notebook_seconds=_PROBE_SECONDS,
    cpu_seconds=30,
    memory_mb=256,
    processes=16,
    file_mb=8,
    output_kb=64,
    tmp_mb=16,
)


class Status(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"  # boxes work, with a weaker limit
    MISSING = "missing"  # no box, or one that doesn't hold


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, what that means, and what to do ("" where nothing)."""

    name: str
    status: Status
    found: str
    means: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class HostReport:
    checks: tuple[Check, ...]

    @property
    def can_isolate(self) -> bool:
        """Whether untrusted programs may be run here."""
        return self.status is not Status.MISSING

    @property
    def status(self) -> Status:
        """The worst of all checks; a report of nothing permits nothing."""
        order = list(Status)
        return max((check.status for check in self.checks), key=order.index, default=Status.MISSING)

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        checks = [
            {
                "name": one.name,
                "status": str(one.status),
                "found": one.found,
                "means": one.means,
                "remedy": one.remedy,
            }
            for one in self.checks
        ]
        return {"can_isolate": self.can_isolate, "status": str(self.status), "checks": checks}


def inspect_host() -> HostReport:
    """Look at everything; a box is tried only where nothing that it needs is missing."""
    needs = (_tools, _bwrap_version, _footing, _seccomp, _interpreter, _groups)
    checks = [check for look in needs for check in _guarded(look)]
    if all(check.status is not Status.MISSING for check in checks):
        checks += _guarded(_trial)
    return HostReport(tuple(checks))


def _guarded(look: Callable[[], Iterator[Check]]) -> list[Check]:
    name = look.__name__.strip("_").replace("_", " ")
    try:
        return list(look())
    except (SandboxError, OSError, ValueError, subprocess.SubprocessError) as error:
        return [Check(name, Status.MISSING, str(error), "boxes can't be opened here", "see what was found")]


def _tools() -> Iterator[Check]:
    try:
        tools = find_tools()
    except HostUnfit as error:
        remedy = "apt-get install bubblewrap util-linux"
        yield Check("tools", Status.MISSING, str(error), "boxes can't be made", remedy)
        return
    yield Check(
        "tools",
        Status.OK,
        f"{tools.bwrap}, {tools.prlimit}, {tools.setpriv}, {tools.taskset}, {tools.nsenter}",
    )


def _bwrap_version() -> Iterator[Check]:
    command = [find_tools().bwrap, "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout  # noqa: S603 - a fixed program
    numbers = re.search(r"(\d+)\.(\d+)", said)
    if numbers is None or tuple(map(int, numbers.groups())) < _OLDEST_BWRAP:
        means = "it can't size a box's folders in memory"
        remedy = "use Debian 12, Ubuntu 24.04 or newer, or install bubblewrap 0.8 or newer"
        yield Check("bubblewrap", Status.MISSING, said.strip() or "no version", means, remedy)
        return
    yield Check("bubblewrap", Status.OK, said.strip())


def _footing() -> Iterator[Check]:
    if can_change_uid():
        yield Check("user", Status.OK, "root: boxes run under uids of their own, without capabilities")
        return
    who = "root, in a user namespace without the boxes' uids" if os.geteuid() == 0 else f"uid {os.geteuid()}"
    yield Check("user", Status.OK, f"{who}: boxes run in user namespaces")
    yield from _user_namespaces()


def _user_namespaces() -> Iterator[Check]:
    """Settings by which kernels and distributions forbid user namespaces to ordinary users."""
    if not Path(_SETTINGS, "user").is_dir():
        remedy = "boot a kernel with CONFIG_USER_NS, or grade as root"
        yield Check("user namespaces", Status.MISSING, "not in this kernel", "no boxes but root's", remedy)
        return
    settings = (
        ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
        ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "give bwrap an AppArmor profile that allows userns, or sysctl"
            " kernel.apparmor_restrict_unprivileged_userns=0, or grade as root",
        ),
    )
    for name, forbids, remedy in settings:
        file = Path(_SETTINGS, name)
        if file.exists() and file.read_text().strip() == forbids:
            # AppArmor may have a profile for bwrap: the trial box then shows it.
            status = Status.DEGRADED if "apparmor" in name else Status.MISSING
            found = f"{name.replace('/', '.')} = {forbids}"
            yield Check("user namespaces", status, found, "an ordinary user may not make boxes", remedy)
            return
    yield Check("user namespaces", Status.OK, "allowed")


def _seccomp() -> Iterator[Check]:
    try:
        length = len(filter_program()) // 8
    except HostUnfit as error:
        remedy = "grade on x86_64, or write the machine's table"
        yield Check("seccomp", Status.MISSING, str(error), "no filter on system calls", remedy)
        return
    actions = Path(_SETTINGS, "kernel/seccomp/actions_avail")
    if not actions.exists() or not {"kill_process", "errno"} <= set(actions.read_text().split()):
        found, remedy = "not in this kernel", "boot Linux 4.14 or newer with CONFIG_SECCOMP_FILTER"
        yield Check("seccomp", Status.MISSING, found, "no filter on system calls", remedy)
        return
    yield Check("seccomp", Status.OK, f"{platform.machine()}, {length} instructions")


def _interpreter() -> Iterator[Check]:
    try:
        python = interpreter()
    except HostUnfit as error:
        remedy = "python3 -m venv .venv, and install the project into it"
        yield Check("python", Status.MISSING, str(error), "no Python can be shown to a box", remedy)
        return
    version = ".".join(map(str, sys.version_info[:3]))
    roots = ", ".join(map(str, python.roots)) or "/usr"
    yield Check("python", Status.OK, f"{version} at {python.executable}; boxes see {roots}")


def _groups() -> Iterator[Check]:
    place = this_host().place
    if place is not None:
        yield Check("limits", Status.OK, f"control groups, version {place.version}, of memory and processes")
        yield from _swap(place)
        return
    yield Check(
        "limits",
        Status.DEGRADED,
        "no control group can be made here",
        "memory is limited for each process of a box, not for all of them together, and what the kernel"
        " keeps for them (sockets, pipes, folders in memory) is not limited: a program can exhaust this host;"
        " usage is read from /proc, and running out of memory is not told from other errors",
        "grade as root, or in a control group delegated to this user: systemd-run --user --scope"
        ' -p Delegate="memory pids" …',
    )


def _swap(place: Place) -> Iterator[Check]:
    """Where swap isn't counted with memory, a box over its limit swaps instead of failing."""
    in_use = len(Path("/proc/swaps").read_text().splitlines()) > 1
    name = "memory.memsw.limit_in_bytes" if place.version == 1 else "memory.swap.max"
    if in_use and not (place.bases["memory"] / name).exists():
        means = "a box can use more than its memory limit, slowly"
        remedy = "turn swap off, or boot with swapaccount=1"
        yield Check("swap", Status.DEGRADED, "swap is on and not counted", means, remedy)


_PROVEN = {
    "network": "no network",
    "writing": "nothing outside /tmp and /dev/shm can be written",
    "files": "no file of the host is visible",
    "processes": "no process of the host is visible",
    "privileges": "no privileges, and a filter on system calls",
    "namespaces": "no new namespaces",
    "system calls": "calls that gave away other kernels are refused",
    "fork limit": "the number of processes is limited",
    "disk limit": "the folders it may write are limited",
    "memory limit": "memory is limited",
}


def _trial() -> Iterator[Check]:
    with tempfile.NamedTemporaryFile(prefix="mlsys-canary-") as canary:
        # Files that must not be there: one of everybody's, and one of the platform's own.
        answers, words = _probe((canary.name, str(Path(__file__).with_name("errors.py"))))
    if answers is None:
        means = "a box doesn't start, or doesn't run Python"
        remedy = (
            "as root: can every user read the Python above? As an ordinary user: are user namespaces allowed?"
            " Then run `bwrap --unshare-user --unshare-net --ro-bind / / true` by hand"
        )
        yield Check("test box", Status.MISSING, words, means, remedy)
        return
    yield Check("test box", Status.OK, "opened, and Python ran in it")
    for name, fine in _PROVEN.items():
        wrong = answers.get(name, "the probe did not answer")
        if wrong:
            means = "a student's program could do this too"
            yield Check(
                name, Status.MISSING, wrong, means, "don't grade here; report this with your kernel's version"
            )
        else:
            yield Check(name, Status.OK, fine)


def _probe(canaries: tuple[str, ...]) -> tuple[dict[str, str] | None, str]:
    """The probe's answers, None where it gave none, and in words how its box ended."""
    reader, writer = os.pipe()
    try:
        spec = BoxSpec(
            argv=(interpreter().executable, "-I", _PROBE, str(writer), *canaries),
            limits=_PROBE_LIMITS,
            binds=(Bind(Path(__file__).with_name("probe.py"), _PROBE),),
            pass_fds=(writer,),
            name="host check",
            diagnose=True,
        )
        with open_box(spec) as box:
            os.close(writer)
            writer = -1
            if not box.wait(_PROBE_SECONDS):
                box.kill()
            answer = os.read(reader, _MOST_ANSWER)
            ending = box.ending()
            words = box.diagnosis() or ending.detail or f"it ended: {ending.cause}"
        return (json.loads(answer) if answer else None), words
    finally:
        os.close(reader)
        if writer != -1:
            os.close(writer)
