"""What this host offers to those who measure time: a source of `mlsys doctor --timing`.

Contract: ``inspect_timing`` reads what the kernel says, waits a moment to see what changes, starts nothing,
leaves nothing behind and raises nothing: what can't be read is told as such. A fact that is BAD makes a
measurement worthless; a DEGRADED one makes it noisier, which a race pays for in pairs, and whether it
can pay is what the calibration race shows (see ``autograder.judge.calibration``).
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from autograder.sandbox import counters
from autograder.speed.activity import ALL, Moment, first_line, lines, moment, on_core
from autograder.speed.cores import Cores, spelt
from autograder.speed.lane import holder

PAUSE_SECONDS = 1.0
BUSY, STOLEN = 0.05, 0.01
COARSE_SECONDS, USELESS_SECONDS = 1e-6, 2e-5
SLOW_CLOCKS = ("acpi_pm", "hpet", "jiffies", "refined-jiffies", "pit")
DENIED = os.strerror(errno.EACCES)
SMT_SWITCH = "/sys/devices/system/cpu/smt/control"


class Fitness(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"  # noisier: races take longer, or end undecided more often
    BAD = "bad"  # speed can't be graded fairly


@dataclass(frozen=True)
class Fact:
    """One thing looked at: what was found, what that means, and what to do ("" where nothing)."""

    name: str
    status: Fitness
    found: str
    means: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class TimingReport:
    checks: tuple[Fact, ...]

    @property
    def fair(self) -> bool:
        """Whether speed may be graded here; a report of nothing permits nothing."""
        return bool(self.checks) and all(fact.status is not Fitness.BAD for fact in self.checks)

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return {"fair": self.fair, "checks": [asdict(fact) for fact in self.checks]}


@dataclass(frozen=True)
class Kernel:
    """Where the kernel's words are found."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")

    def word(self, path: str) -> str:
        """The first line of a file of ``sys``, "" where there is none."""
        return first_line(self.sys / path)

    def cpu(self, path: str) -> str:
        return self.word(f"devices/system/cpu/{path}")


def inspect_timing(
    cores: Cores | None = None,
    kernel: Kernel | None = None,
    pause: Callable[[], None] = lambda: time.sleep(PAUSE_SECONDS),
) -> TimingReport:
    """Looks at everything; ``pause`` is the while over which load and steal are counted."""
    kernel = kernel or Kernel()
    cores = cores or Cores.here(kernel.sys / "devices/system/cpu")
    before = moment(kernel.proc)
    pause()
    after = moment(kernel.proc)
    return TimingReport(
        (
            cores_found(cores),
            *hardware_threads(cores),
            lane_holder(cores),
            governor(cores, kernel),
            turbo(kernel),
            quota(cores, kernel),
            load(cores, kernel),
            *neighbours(cores, before, after),
            steal(before, after),
            clock(kernel),
            virtual(kernel),
            waiting(kernel),
            instructions(),
            accelerators(kernel),
        )
    )


# -- cores --------------------------------------------------------------------------------


def cores_found(cores: Cores) -> Fact:
    apart = cores.work != cores.mask
    rest = f"correctness work on {spelt(cores.work)}"
    found = f"{len(cores.mask)} ({spelt(cores.mask)}): speed lane on {spelt(cores.lanes)}, {rest}"
    if apart:
        return Fact("cores", Fitness.OK, found)
    means = "races share their core with correctness work and with the judge"
    return Fact(
        "cores", Fitness.DEGRADED, found, means, "grade speed where two physical cores are free for it"
    )


def hardware_threads(cores: Cores) -> Iterator[Fact]:
    for core in cores.lanes:
        others = cores.threads[core] - {core}
        busy = others - cores.mask or others & cores.work
        if not others:
            yield Fact("threads", Fitness.OK, f"core {core} is one hardware thread")
        elif not busy:
            yield Fact(
                "threads", Fitness.OK, f"core {core} shares its hardware with {spelt(others)}: left idle"
            )
        else:
            found = f"core {core} shares its hardware with {spelt(busy)}, where others may work"
            means = "both get slower while both work"
            remedy = f"give this process whole physical cores (a cpuset), or: echo off > {SMT_SWITCH}"
            yield Fact("threads", Fitness.DEGRADED, found, means, remedy)


def lane_holder(cores: Cores) -> Fact:
    held = {core: holder(cores.place(core)) for core in cores.lanes}
    said = [f"core {core}: {who or 'free, or its holder is silent'}" for core, who in held.items()]
    return Fact("lane", Fitness.OK, "; ".join(said))


# -- frequency ----------------------------------------------------------------------------


def governor(cores: Cores, kernel: Kernel) -> Fact:
    named = {kernel.cpu(f"cpu{core}/cpufreq/scaling_governor") for core in cores.lanes} - {""}
    if not named:
        return Fact("governor", Fitness.OK, "not in this host's hands (a virtual machine, a fixed frequency)")
    driver = kernel.cpu(f"cpu{cores.lanes[0]}/cpufreq/scaling_driver")
    found = ", ".join(sorted(named)) + (f" ({driver})" if driver else "")
    if named == {"performance"}:
        return Fact("governor", Fitness.OK, found)
    means = "a core's frequency follows its load, so the first calls of a race are slower"
    return Fact("governor", Fitness.DEGRADED, found, means, "cpupower frequency-set -g performance")


def turbo(kernel: Kernel) -> Fact:
    off = {"intel_pstate/no_turbo": "1", "cpufreq/boost": "0"}
    for path, word in off.items():
        said = kernel.cpu(path)
        if said:
            means = "frequency follows the heat; student and reference meet the same, turn by turn"
            return Fact("turbo", Fitness.OK, "off" if said == word else "on", "" if said == word else means)
    return Fact("turbo", Fitness.OK, "not told by this host")


def quota(cores: Cores, kernel: Kernel) -> Fact:
    """The time that a control group may use of a period: processes stand still for the rest of it."""
    given = [share for share in shares(kernel) if share < len(cores.mask)]
    if not given:
        return Fact("quota", Fitness.OK, "none: no control group stops this process while it works")
    found = f"{min(given):g} cores' time for {len(cores.mask)} cores"
    means = "who has used it up stands still until the next period (0.1 s), in the middle of a call"
    remedy = "give whole cores instead: a cpuset; on Kubernetes the static CPU manager and an integer limit"
    return Fact("quota", Fitness.DEGRADED, found, means, remedy)


def shares(kernel: Kernel) -> Iterator[float]:
    """The quotas of this process's control groups and of those above it, in cores."""
    for folder in groups(kernel):
        second = first_line(folder / "cpu.max").split()
        if len(second) == 2 and second[0].isdecimal():
            yield int(second[0]) / int(second[1])
        first = first_line(folder / "cpu.cfs_quota_us")
        period = first_line(folder / "cpu.cfs_period_us")
        if first.isdecimal() and period.isdecimal():
            yield int(first) / int(period)


def groups(kernel: Kernel) -> Iterator[Path]:
    for line in lines(kernel.proc / "self/cgroup"):
        _, names, path = line.split(":", 2)
        if names and "cpu" not in names.split(","):
            continue
        base = kernel.sys / "fs/cgroup" / names
        inside = base / path.strip("/")
        yield from (each for each in (inside, *inside.parents) if each.is_relative_to(base))


# -- who else works here ------------------------------------------------------------------


def load(cores: Cores, kernel: Kernel) -> Fact:
    words = first_line(kernel.proc / "loadavg").split()
    if not words:
        return Fact("load", Fitness.OK, "not told by this host")
    found = f"{words[0]} over the last minute, on {len(cores.mask)} cores"
    if float(words[0]) <= len(cores.mask):
        return Fact("load", Fitness.OK, found)
    return Fact(
        "load",
        Fitness.DEGRADED,
        found,
        "more wants to run than there are cores for",
        "grade when it is quiet",
    )


def neighbours(cores: Cores, before: Moment, after: Moment) -> Iterator[Fact]:
    """What used the lanes while nothing raced."""
    for core in cores.lanes:
        if core not in before.cores or core not in after.cores:
            yield Fact("lane's load", Fitness.OK, f"core {core}: not told by this host")
            continue
        spent = after.cores[core].since(before.cores[core])
        part = spent.busy / max(spent.all, 1)
        found = f"core {core}: busy {part:.0%} of the time"
        if part <= BUSY:
            yield Fact("lane's load", Fitness.OK, found)
            continue
        names = on_core(core, before, after)
        found += f", with {', '.join(names)}" if names else ""
        means = "what else runs on the racers' core interrupts them"
        remedy = "keep others off it (taskset, a cpuset), or grade when they are done"
        yield Fact("lane's load", Fitness.DEGRADED, found, means, remedy)


def steal(before: Moment, after: Moment) -> Fact:
    """Time that a hypervisor gave to other machines while this one had work."""
    if ALL not in before.cores or ALL not in after.cores:
        return Fact("steal", Fitness.OK, "not told by this host")
    total, now = after.cores[ALL], after.cores[ALL].since(before.cores[ALL])
    ever, lately = total.stolen / max(total.all, 1), now.stolen / max(now.all, 1)
    found = f"{lately:.1%} of the last moment, {ever:.2%} since the start"
    if max(ever, lately) <= STOLEN:
        return Fact("steal", Fitness.OK, found)
    means = "other virtual machines take this one's cores in the middle of a call"
    return Fact("steal", Fitness.DEGRADED, found, means, "grade speed on a machine with cores of its own")


# -- clocks and counters ------------------------------------------------------------------


def clock(kernel: Kernel, read: Callable[[], float] = time.perf_counter) -> Fact:
    source = kernel.word("devices/system/clocksource/clocksource0/current_clocksource")
    step = smallest_step([read() for _ in range(2000)])
    found = f"{source or 'of an unknown source'}, steps of {step * 1e9:.0f} ns"
    if step > USELESS_SECONDS:
        means = "a call's time can't be told to 1 %"
        return Fact("clock", Fitness.BAD, found, means, "grade on another host, or boot with clocksource=tsc")
    if source in SLOW_CLOCKS or step > COARSE_SECONDS:
        means = "reading the time takes long"
        remedy = "boot with clocksource=tsc, where the processor has a steady one"
        return Fact("clock", Fitness.DEGRADED, found, means, remedy)
    return Fact("clock", Fitness.OK, found)


def smallest_step(read: Sequence[float]) -> float:
    """The least time between two readings that differ; infinite for a clock that stands."""
    return min((b - a for a, b in itertools.pairwise(read) if b > a), default=float("inf"))


def virtual(kernel: Kernel) -> Fact:
    names = [kernel.word(f"class/dmi/id/{name}") for name in ("sys_vendor", "product_name")]
    guest = any(re.match(r"flags\s*:.*\bhypervisor\b", line) for line in lines(kernel.proc / "cpuinfo"))
    if not guest and not kernel.word("hypervisor/type"):
        return Fact("machine", Fitness.OK, " ".join(filter(None, names)) or "no sign of a hypervisor")
    means = "its cores may be shared with other machines, which shows as steal where the hypervisor tells"
    return Fact("machine", Fitness.OK, " ".join(filter(None, ("virtual machine", *names))), means)


def waiting(kernel: Kernel) -> Fact:
    if len(first_line(kernel.proc / "self/schedstat").split()) == 3:
        return Fact("waiting", Fitness.OK, "how long a process waits for its core is counted (schedstat)")
    means = "a call that had to wait for its core can't be told from one that worked"
    return Fact("waiting", Fitness.DEGRADED, "not counted", means, "boot a kernel with CONFIG_SCHED_INFO")


def instructions() -> Fact:
    refused = counters.refusal()
    if refused is None:
        return Fact("instructions", Fitness.OK, "counted by the processor (perf_event)")
    means = "the report shows times only; no grade depends on more"
    remedy = "sysctl kernel.perf_event_paranoid=2, or grade as root" if refused == DENIED else ""
    return Fact("instructions", Fitness.OK, f"not counted here (perf_event_open: {refused})", means, remedy)


# -- other processors ---------------------------------------------------------------------


def accelerators(kernel: Kernel) -> Fact:
    """Graphics processors, as the drivers of NVIDIA and AMD (kfd) list them."""
    nvidia = [
        line.partition(":")[2].strip()
        for gpu in sorted(kernel.proc.glob("driver/nvidia/gpus/*/information"))
        for line in lines(gpu)
        if line.startswith("Model:")
    ]
    nodes = sorted(kernel.sys.glob("class/kfd/kfd/topology/nodes/*/gpu_id"))
    found = nvidia + ["AMD" for node in nodes if first_line(node) not in ("", "0")]
    if not found:
        return Fact("GPU", Fitness.OK, "none: races run on this host's cores")
    means = "boxes reach no device, and nothing races on it: races run on this host's cores"
    return Fact("GPU", Fitness.OK, ", ".join(found), means)
