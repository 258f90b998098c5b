"""What a host says to those who measure time, on hosts of paper, and that this one says something."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox import counters
from autograder.speed import timing
from autograder.speed.activity import Moment, Program, Ticks, moment, on_core
from autograder.speed.cores import Cores
from autograder.speed.lane import take
from autograder.speed.timing import Fact, Fitness, Kernel, TimingReport, inspect_timing

FINE = Fact("a", Fitness.OK, "fine")
NOISY = Fact("b", Fitness.DEGRADED, "noisy", "means", "remedy")
BROKEN = Fact("c", Fitness.BAD, "broken", "means", "remedy")
FOUR = Cores(frozenset(range(4)), {core: frozenset((core,)) for core in range(4)})


def cpu_line(name: str, busy: int, idle: int, stolen: int = 0) -> str:
    return f"{name} {busy} 0 0 {idle} 0 0 0 {stolen} 0 0"


def process(pid: int, name: str, ticks: int, core: int) -> str:
    fields = ["S", *["0"] * 10, str(ticks), "0", *["0"] * 23, str(core), *["0"] * 13]
    return f"{pid} ({name}) {' '.join(fields)}\n"


class Paper:
    """A host whose kernel is a folder."""

    def __init__(self, folder: Path) -> None:
        self.kernel = Kernel(folder / "proc", folder / "sys")
        self.proc("stat", "\n".join([cpu_line("cpu", 0, 0), *(cpu_line(f"cpu{n}", 0, 0) for n in range(4))]))
        self.proc("loadavg", "0.10 0.20 0.30 1/100 999")
        self.proc("self/cgroup", "0::/user/me\n")
        self.proc("self/schedstat", "12 34 5\n")
        self.proc("cpuinfo", "flags\t\t: fpu sse\n")
        self.sys("devices/system/clocksource/clocksource0/current_clocksource", "tsc\n")

    def proc(self, path: str, text: str) -> None:
        self.write(self.kernel.proc / path, text)

    def sys(self, path: str, text: str) -> None:
        self.write(self.kernel.sys / path, text)

    def cpu(self, path: str, text: str) -> None:
        self.sys(f"devices/system/cpu/{path}", text)

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def passes(self, *lines: str) -> None:
        self.proc("stat", "\n".join(lines))

    def report(self, *later: str) -> dict[str, Fact]:
        """The facts by name; ``later`` is /proc/stat after the pause."""
        found = inspect_timing(FOUR, self.kernel, lambda: self.passes(*later) if later else None)
        return {fact.name: fact for fact in found.checks}


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    return Paper(tmp_path)


def test_this_host_says_something_of_everything() -> None:
    report = inspect_timing(pause=lambda: None)
    names = [fact.name for fact in report.checks]
    assert {"cores", "threads", "lane", "governor", "turbo", "quota", "load", "lane's load"} <= set(names)
    assert {"steal", "clock", "machine", "waiting", "instructions"} <= set(names)
    assert all(fact.found for fact in report.checks)
    assert all(fact.means and fact.remedy for fact in report.checks if fact.status is not Fitness.OK)


def test_quiet_host_of_its_own_is_all_right(paper: Paper) -> None:
    facts = paper.report(cpu_line("cpu", 10, 390), cpu_line("cpu3", 1, 99))
    assert {name: fact.status for name, fact in facts.items() if fact.status is not Fitness.OK} == {}
    assert facts["cores"].found == "4 (0-3): speed lane on 3, correctness work on 0-2"


def test_host_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    report = inspect_timing(FOUR, Kernel(tmp_path / "proc", tmp_path / "sys"), lambda: None)
    assert report.fair
    [clock] = [fact for fact in report.checks if fact.name == "clock"]
    assert "unknown source" in clock.found


def test_bad_thing_forbids_speed_and_a_noisy_one_does_not() -> None:
    assert TimingReport((FINE, NOISY)).fair
    assert not TimingReport((FINE, BROKEN, NOISY)).fair
    assert not TimingReport(()).fair


def test_report_can_be_written_as_json() -> None:
    read = json.loads(json.dumps(TimingReport((FINE, BROKEN)).as_dict()))
    assert read["fair"] is False
    assert read["checks"][1] == {
        "name": "c",
        "status": "bad",
        "found": "broken",
        "means": "means",
        "remedy": "remedy",
    }


def test_one_core_is_shared_with_everything(paper: Paper) -> None:
    one = Cores(frozenset((5,)), {5: frozenset((5,))})
    fact = timing.cores_found(one)
    assert fact.status is Fitness.DEGRADED
    assert "5" in fact.found


@pytest.mark.parametrize(
    ("mask", "together", "status", "words"),
    [
        ({0, 1, 2, 3}, {(0, 2), (1, 3)}, Fitness.OK, "core 3 shares its hardware with 1: left idle"),
        (
            {0, 3},
            {(0, 2), (1, 3)},
            Fitness.DEGRADED,
            "core 3 shares its hardware with 1, where others may work",
        ),
        ({0, 1}, {(0, 1)}, Fitness.DEGRADED, "core 1 shares its hardware with 0, where others may work"),
    ],
)
def test_hardware_threads_beside_the_lane_are_told(
    mask: set[int], together: set[tuple[int, ...]], status: Fitness, words: str
) -> None:
    threads = {core: frozenset(group) for group in together for core in group if core in mask}
    [fact] = timing.hardware_threads(Cores(frozenset(mask), threads))
    assert (fact.status, fact.found) == (status, words)


def test_holder_of_the_lane_is_told() -> None:
    core = 2_000_000 + os.getpid()
    one = Cores(frozenset((core,)), {core: frozenset((core,))})
    assert "free" in timing.lane_holder(one).found
    held = take(core)
    assert isinstance(held, socket.socket)
    with held:
        assert f"process {os.getpid()} of " in timing.lane_holder(one).found


@pytest.mark.parametrize(
    ("governor", "status"), [("performance", Fitness.OK), ("powersave", Fitness.DEGRADED)]
)
def test_governor_of_the_lane_counts(paper: Paper, governor: str, status: Fitness) -> None:
    paper.cpu("cpu0/cpufreq/scaling_governor", "schedutil")
    paper.cpu("cpu3/cpufreq/scaling_governor", f"{governor}\n")
    paper.cpu("cpu3/cpufreq/scaling_driver", "intel_pstate\n")
    fact = paper.report()["governor"]
    assert (fact.status, fact.found) == (status, f"{governor} (intel_pstate)")


@pytest.mark.parametrize(
    ("path", "word", "found"),
    [
        ("intel_pstate/no_turbo", "1", "off"),
        ("intel_pstate/no_turbo", "0", "on"),
        ("cpufreq/boost", "0", "off"),
        ("cpufreq/boost", "1", "on"),
    ],
)
def test_turbo_is_told(paper: Paper, path: str, word: str, found: str) -> None:
    paper.cpu(path, word)
    assert paper.report()["turbo"].found == found


@pytest.mark.parametrize(
    ("groups", "files", "status"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000"}, Fitness.OK),
        ("0::/a/b\n", {"a/b/cpu.max": "150000 100000"}, Fitness.DEGRADED),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000"}, Fitness.DEGRADED),
        ("0::/\n", {"cpu.max": "800000 100000"}, Fitness.OK),
        (
            "3:cpu,cpuacct:/pod\n",
            {"cpu,cpuacct/pod/cpu.cfs_quota_us": "20000", "cpu,cpuacct/pod/cpu.cfs_period_us": "100000"},
            Fitness.DEGRADED,
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, Fitness.OK),
        ("2:cpuset:/\n", {"cpuset/cpu.cfs_quota_us": "1", "cpuset/cpu.cfs_period_us": "100"}, Fitness.OK),
    ],
)
def test_quota_of_any_group_above_stops_processes(
    paper: Paper, groups: str, files: dict[str, str], status: Fitness
) -> None:
    paper.proc("self/cgroup", groups)
    for path, text in files.items():
        paper.sys(f"fs/cgroup/{path}", text)
    assert paper.report()["quota"].status is status


@pytest.mark.parametrize(("said", "status"), [("3.99", Fitness.OK), ("4.01", Fitness.DEGRADED)])
def test_more_load_than_cores_is_told(paper: Paper, said: str, status: Fitness) -> None:
    paper.proc("loadavg", f"{said} 1 1 1/1 1")
    assert paper.report()["load"].status is status


def test_neighbours_on_the_lane_are_named(paper: Paper) -> None:
    paper.proc("40/stat", process(40, "backup (daily)", 7, 3))
    paper.proc("41/stat", process(41, "quiet", 7, 3))
    paper.proc("42/stat", process(42, "elsewhere", 7, 0))

    def later() -> None:
        paper.passes(cpu_line("cpu", 60, 340), cpu_line("cpu3", 60, 40))
        paper.proc("40/stat", process(40, "backup (daily)", 60, 3))
        paper.proc("42/stat", process(42, "elsewhere", 90, 0))

    [fact] = [fact for fact in inspect_timing(FOUR, paper.kernel, later).checks if fact.name == "lane's load"]
    assert fact.status is Fitness.DEGRADED
    assert fact.found == "core 3: busy 60% of the time, with backup (daily) (40)"


def test_program_that_came_or_went_meanwhile_is_no_error() -> None:
    before = Moment({}, {1: Program("gone", 5, 3)})
    after = Moment({}, {2: Program("new", 5, 3)})
    assert on_core(3, before, after) == []


def test_processes_of_this_host_are_read() -> None:
    now = moment(Path("/proc"))
    assert os.getpid() in now.programs
    assert now.programs[os.getpid()].core in os.sched_getaffinity(0)
    assert now.programs[os.getpid()].ticks > 0
    assert set(os.sched_getaffinity(0)) < set(now.cores)
    assert Ticks(5, 1, 9).since(Ticks(2, 1, 4)) == Ticks(3, 0, 5)


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        (cpu_line("cpu", 0, 0), cpu_line("cpu", 50, 350, 0), Fitness.OK),
        (cpu_line("cpu", 0, 0), cpu_line("cpu", 50, 330, 20), Fitness.DEGRADED),
        (cpu_line("cpu", 1000, 900, 100), cpu_line("cpu", 1100, 900, 100), Fitness.DEGRADED),
    ],
)
def test_stolen_time_is_told_now_and_since_the_start(
    paper: Paper, start: str, end: str, status: Fitness
) -> None:
    paper.passes(start)
    assert paper.report(end)["steal"].status is status


@pytest.mark.parametrize(
    ("source", "step", "status"),
    [
        ("tsc", 4e-8, Fitness.OK),
        ("kvm-clock", 4e-8, Fitness.OK),
        ("hpet", 4e-8, Fitness.DEGRADED),
        ("tsc", 4e-6, Fitness.DEGRADED),
        ("tsc", 1e-3, Fitness.BAD),
        ("tsc", 0.0, Fitness.BAD),
    ],
)
def test_coarse_clock_is_useless_and_a_slow_one_noisy(
    paper: Paper, source: str, step: float, status: Fitness
) -> None:
    def ticking() -> Iterator[float]:
        now = 0.0
        while True:
            yield now
            yield now
            now += step

    paper.sys("devices/system/clocksource/clocksource0/current_clocksource", source)
    assert timing.clock(paper.kernel, ticking().__next__).status is status


def test_virtual_machine_is_told(paper: Paper) -> None:
    assert paper.report()["machine"].found == "no sign of a hypervisor"
    paper.sys("class/dmi/id/sys_vendor", "QEMU\n")
    paper.proc("cpuinfo", "processor : 0\nflags\t\t: fpu hypervisor sse\n")
    assert paper.report()["machine"].found == "virtual machine QEMU"


def test_kernel_that_does_not_count_waits_is_told(paper: Paper) -> None:
    (paper.kernel.proc / "self/schedstat").unlink()
    assert paper.report()["waiting"].status is Fitness.DEGRADED


@pytest.mark.parametrize("refused", [None, "No such file or directory", "Permission denied"])
def test_counters_are_told_and_never_needed(monkeypatch: pytest.MonkeyPatch, refused: str | None) -> None:
    monkeypatch.setattr(counters, "refusal", lambda: refused)
    fact = timing.instructions()
    assert fact.status is Fitness.OK
    assert (refused or "counted by the processor") in fact.found
    assert bool(fact.remedy) is (refused == "Permission denied")


def test_a_gpu_is_told_and_not_raced_on(paper: Paper) -> None:
    assert "none" in paper.report()["GPU"].found
    paper.sys("class/kfd/kfd/topology/nodes/0/gpu_id", "0\n")  # the processor itself
    paper.sys("class/kfd/kfd/topology/nodes/1/gpu_id", "51140\n")
    paper.proc("driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H200\nIRQ: 17\n")
    gpu = paper.report()["GPU"]
    assert (gpu.found, gpu.status) == ("NVIDIA H200, AMD", Fitness.OK)
    assert "races run on this host's cores" in gpu.means
