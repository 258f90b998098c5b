"""What had run on which core: two looks at /proc say what was busy in between (proc_stat(5)).

Contract: what can't be read is left out; a process that goes meanwhile is no error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ALL = -1
MOST_NAMED = 3


@dataclass(frozen=True)
class Ticks:
    """A core's time so far, in ticks of the kernel's."""

    busy: int
    stolen: int
    all: int

    def since(self, before: Ticks) -> Ticks:
        return Ticks(self.busy - before.busy, self.stolen - before.stolen, self.all - before.all)


@dataclass(frozen=True)
class Program:
    """A process: its name, ticks so far and the core that it was last on."""

    name: str
    ticks: int
    core: int


@dataclass(frozen=True)
class Moment:
    """What had run, on which core, at one time. ``cores`` by number, and ALL of them together."""

    cores: Mapping[int, Ticks]
    programs: Mapping[int, Program]


def moment(proc: Path) -> Moment:
    return Moment(dict(core_ticks(proc)), dict(programs(proc)))


def core_ticks(proc: Path) -> Iterator[tuple[int, Ticks]]:
    for line in lines(proc / "stat"):
        name, *words = line.split()
        if name.startswith("cpu") and len(words) >= 8:
            # Guests' time, which follows, is in user's already.
            user, nice, system, idle, waits, hard, soft, stolen = map(int, words[:8])
            busy = user + nice + system + hard + soft
            yield int(name[3:] or ALL), Ticks(busy, stolen, busy + idle + waits + stolen)


def programs(proc: Path) -> Iterator[tuple[int, Program]]:
    for path in proc.glob("[0-9]*/stat"):
        if found := program(first_line(path)):
            yield int(path.parent.name), found


def program(stat: str) -> Program | None:
    """From a line of /proc/PID/stat (proc_pid_stat(5)); None for a process that is gone."""
    head, _, tail = stat.rpartition(")")
    words = tail.split()
    if len(words) < 37:
        return None
    return Program(head.partition("(")[2], int(words[11]) + int(words[12]), int(words[36]))


def on_core(core: int, before: Moment, after: Moment) -> list[str]:
    """The programs that used a core most, by name."""
    spent = {
        pid: each.ticks - before.programs[pid].ticks
        for pid, each in after.programs.items()
        if each.core == core and pid in before.programs
    }
    most = sorted((pid for pid in spent if spent[pid] > 0), key=lambda pid: -spent[pid])
    return [f"{after.programs[pid].name} ({pid})" for pid in most[:MOST_NAMED]]


def lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def first_line(path: Path) -> str:
    return next(iter(lines(path)), "").strip()
