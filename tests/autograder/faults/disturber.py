"""Runs the real `mlsys autograde` and kills its processes, one of them every now and then.

Contract: ``disturb`` starts the command again until it says that it is done, and returns what it did.
The same seed draws the same times and kinds; which process that meets is the machine's affair. Only
processes that descend from the command itself, or from the cluster that it sends to, are signalled, each held
fast by a descriptor.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.sandbox.policy import this_host
from hub.configure import free_port
from tests.autograder.faults.classroom import Classroom
from tests.hub.command import ROOT

PATIENCE_SECONDS = 60
MOST_RUNS = 100
DASK = {"distributed.cli.dask_scheduler": "scheduler", "distributed.cli.dask_worker": "worker"}
OWNERS = {
    "autograder.judge.server": "judge",
    "autograder.sandbox.agent": "agent",
    "autograder.sandbox.zygote": "zygote",
}


@dataclass(frozen=True)
class Process:
    """A process as /proc shows it; number and start time together name it for ever."""

    pid: int
    parent: int
    started: str
    words: str

    @property
    def program(self) -> str:
        return Path(self.words.partition(" ")[0]).name

    @property
    def key(self) -> tuple[int, str]:
        return self.pid, self.started


@dataclass
class Report:
    """What was done, and how the command's runs ended."""

    kills: Counter[str] = field(default_factory=Counter)
    endings: Counter[int] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0
    seen: set[tuple[int, str]] = field(default_factory=set)
    drivers: set[tuple[int, str]] = field(default_factory=set)

    @property
    def runs(self) -> int:
        return self.endings.total()


@dataclass(frozen=True)
class Field:
    """Where the batch runs: on this process's own, or on a cluster that another one keeps running."""

    words: tuple[str, ...] = ()
    keeper: int | None = None

    def processes(self, driver: int) -> list[Process]:
        below = list(descendants(driver))
        return [*below, *descendants(self.keeper)] if self.keeper else below


@contextlib.contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Field]:
    """`mlsys cluster start`, which starts again what dies, until the end of the block."""
    port = free_port()
    certificates, scratch = folder / "certificates", folder / "cluster-tmp"
    scratch.mkdir()
    words = ["--workers", str(workers), "--port", str(port), "--certificates", str(certificates)]
    with subprocess.Popen(
        [sys.executable, "-m", "hub.cli.app", "cluster", "start", *words],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
    ) as keeper:
        assert keeper.stderr is not None
        said = keeper.stderr.readline()
        assert "a scheduler at" in said, said
        reader = threading.Thread(target=keeper.stderr.read)  # or it would wait for its words to be read
        reader.start()
        try:
            address = f"tls://127.0.0.1:{port}"
            yield Field(("--scheduler", address, "--certificates", str(certificates)), keeper.pid)
        finally:
            keeper.send_signal(signal.SIGINT)
            keeper.wait(PATIENCE_SECONDS)
            reader.join()
    assert [str(path) for path in scratch.rglob("*")] == []


def disturb(
    room: Classroom,
    *,
    seed: int,
    kills: int,
    driver_kills: int,
    every: float,
    workers: int = 0,
    field: Field = Field(),
) -> Report:
    """``kills`` in all, ``driver_kills`` of them of the command itself, one about every so many seconds."""
    rng = random.Random(seed)  # noqa: S311 - a test's own dice
    report = Report()
    plan = ["driver"] * driver_kills + ["below"] * (kills - driver_kills)
    rng.shuffle(plan)
    begin = time.monotonic()
    while report.runs < MOST_RUNS:
        code, words = run_once(room, rng, plan, every, report, workers, field)
        report.endings[code] += 1
        report.said.append(words)
        if code == 0:
            break
        assert code in (2, -signal.SIGKILL), f"it ended with {code}: {words}"
    report.seconds = time.monotonic() - begin
    return report


def run_once(
    room: Classroom,
    rng: random.Random,
    plan: list[str],
    every: float,
    report: Report,
    workers: int,
    field: Field,
) -> tuple[int, str]:
    """One run of the command under fire; its exit code and its words."""
    scratch = room.folder / "tmp"
    scratch.mkdir(exist_ok=True)
    records = room.folder / "records"
    with records.open("w") as stdout:
        driver = subprocess.Popen(
            room.command("--json", "--workers", str(workers), *field.words),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(scratch)},
        )
    own = look(driver.pid)
    assert own is not None
    report.drivers.add(own.key)
    while True:
        try:
            _, words = driver.communicate(timeout=rng.expovariate(1 / every))
        except subprocess.TimeoutExpired:
            if records.stat().st_size:  # the batch has begun
                strike(driver, rng, plan, report, field)
        else:
            return driver.returncode, words.strip()


def strike(
    driver: subprocess.Popen[str], rng: random.Random, plan: list[str], report: Report, field: Field
) -> None:
    below = field.processes(driver.pid)
    report.seen.update(each.key for each in below)
    report.drivers.update(
        each.key for each in below if kind_of(each, None) == "worker"
    )  # they make boxes too
    if not plan:
        return
    if plan[-1] == "driver":
        plan.pop()
        report.kills["driver"] += 1
        driver.kill()
        return
    kinds: dict[str, list[Process]] = {}
    parents = {each.pid: each for each in below}
    for each in below:
        kinds.setdefault(kind_of(each, parents.get(each.parent)), []).append(each)
    if not kinds:
        return
    kind = rng.choice(sorted(kinds))
    if kill(rng.choice(kinds[kind])):
        plan.pop()
        report.kills[kind] += 1


def kind_of(process: Process, parent: Process | None) -> str:
    """Which of the platform's processes this is."""
    for module, name in DASK.items():
        if module in process.words:
            return name
    whose = next((name for module, name in OWNERS.items() if module in process.words), "")
    if not whose:
        return "starting"
    if process.program == "bwrap":
        return f"{whose}'s init" if parent and parent.program == "bwrap" else f"{whose}'s bwrap"
    return whose if parent and parent.program == "bwrap" else f"{whose}'s child"


def kill(process: Process) -> bool:
    """Whether this very process was there to be killed."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(process.pid)
        try:
            now = look(process.pid)
            if now is not None and now.key == process.key:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                return True
        finally:
            os.close(descriptor)
    return False


def descendants(pid: int) -> Iterator[Process]:
    """All below a process, as they are now; zombies are left out."""
    by_parent: dict[int, list[Process]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal() and (each := look(int(path.name))) is not None:
            by_parent.setdefault(each.parent, []).append(each)
    waiting = [pid]
    while waiting:
        for each in by_parent.get(waiting.pop(), ()):
            waiting.append(each.pid)
            yield each


def look(pid: int) -> Process | None:
    """None for a process that is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if stat[0] in "ZX" else Process(pid, int(stat[1]), stat[19], words)


def groups_of(makers: list[str]) -> list[str]:
    """Control groups with one of these in their names. Others come and go meanwhile, which `os.walk` passes over."""
    return [
        f"{folder}/{name}"
        for folder, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith("mlsys-") and any(maker in name for maker in makers)
    ]


def require_nothing_left(room: Classroom, report: Report) -> None:
    """No process of any run, no control group, no temporary file."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while alive := [each for pid, started in report.seen if (each := look(pid)) and each.started == started]:
        assert time.monotonic() < deadline, alive
        os.sched_yield()
    makers = [f"-{pid}-{started}-" for pid, started in report.drivers]
    while groups := groups_of(makers):
        # The next process of the platform that starts removes what a killed one left; here no more come.
        place = this_host().place
        assert place is not None and time.monotonic() < deadline, groups
        place.sweep()
    assert [path.name for path in (room.folder / "tmp").iterdir()] == []
