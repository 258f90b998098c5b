"""How well races find known ratios, and whether they decide alike each time.

``python -m benchmarks.races coverage --races 500`` races kernels that do exactly 1.00, 1.05, 1.2, 1.5, 2
and 5 times the reference's work, half of the races while every other core is kept busy, and prints how
often the interval holds the truth. ``python -m benchmarks.races regrading --races 1000`` judges one
submission again and again, likewise, and prints how often it got another band, and how long it took.
Every race has boxes of its own, as every grading has: what lasts as long as a process is in these figures.
Boxes, turnstile and clock are those of grading; only the judge's end of the line is in this process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autograder.judge import Settings
from autograder.judge.hearing import BoxedNotebook
from autograder.judge.link import BoxLost, Link
from autograder.judge.measured import MeasuredChannel
from autograder.judge.proxy import make_proxy
from autograder.judge.racing import BUDGET_SECONDS, BoxRunner
from autograder.judge.session import ask_raw, greet
from autograder.sandbox.arena import Arena
from autograder.speed.lane import lane
from autograder.speed.race import Measurement, NoisyHost, race
from autograder.speed.score import Bands
from benchmarks.regrading import bounds

PHASES = ("idle", "loaded")
KERNEL_SECONDS = 0.010
SIZED_EVERY = 10
UNITS = 20
FACTORS = (1.0, 1.05, 1.2, 1.5, 2.0, 5.0)
MARKS = {0.25: 1.0, 0.55: 2.0, 0.75: 3.0, 0.9: 4.0}
AWAY = 1.05  # how far from a mark, at least, a ratio is that must get one band
KERNEL = """
def work(x, units):
    for _ in range(units):
        total = 0.0
        for value in x.tolist():
            total += value * value
    return total
def raced(x):
    return work(x, {units})
"""
BURN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(i * i for i in range(100_000))"


class Line:
    """Stands where the judge's desk stands, and keeps the link here."""

    core = None

    def attach(self, role: str, fds: tuple[int, ...], seconds: float) -> str | None:
        sock = socket.socket(fileno=os.dup(fds[0]))
        self.link = Link(MeasuredChannel(sock), make_proxy, arena=Arena(os.dup(fds[1])))
        return greet(self.link, seconds)


class Boxed:
    """A box on the lane's core with the kernel in it, once for each number of units of work."""

    def __init__(self, cpus: tuple[int, ...], units: list[int]) -> None:
        line = Line()
        desk: Any = line
        self.notebook = BoxedNotebook(desk, Settings(), "student", cpus)
        self.notebook.open()
        self.link = line.link
        self.runners = {each: self.runner(each) for each in units}

    def runner(self, units: int) -> BoxRunner:
        fine, said = ask_raw(self.link, "cell", KERNEL.format(units=units), 1 << 16)
        if not fine:
            raise SystemExit(f"the kernel doesn't run in its box: {said}")
        return BoxRunner(self.link, self.link.request("name", "raced"))


class Field:
    """Two boxes, a student's and the reference's, and races between them. Closed at the end of a context."""

    def __init__(self, cpus: tuple[int, ...], units: list[int], size: int) -> None:
        self.student, self.reference = Boxed(cpus, units), Boxed(cpus, [UNITS])
        self.size = size

    def __enter__(self) -> Field:
        return self

    def __exit__(self, *_: object) -> None:
        for side in (self.student, self.reference):
            side.notebook.close()
            side.link.channel.sock.close()

    def race(self, units: int, marks: dict[float, float], seed: int) -> tuple[Measurement, float]:
        """A race of ``units`` of work against the reference's, and the seconds that it took."""
        begin = time.monotonic()
        for side in (self.reference, self.student):
            side.runners[UNITS if side is self.reference else units].settle()
        measured = race(
            self.student.runners[units],
            self.reference.runners[UNITS],
            self.reference.runners[UNITS].idle,
            lambda rng: (rng.normal(size=self.size),),
            lambda inputs, mine, right: bool(np.isclose(mine, right)),
            Bands(marks),
            rng=np.random.default_rng(seed), clock=time.monotonic, budget=BUDGET_SECONDS,
        )  # fmt: skip
        return measured, time.monotonic() - begin

    def last_words(self) -> str:
        """How the boxes ended, where one of them did."""
        told = []
        for name, side in (("student", self.student), ("reference", self.reference)):
            ending = side.notebook.end(grace=2.0)
            told.append(f"{name}: {ending}, out of turn: {side.notebook.out_of_turn}")
        return "; ".join(told)

    def size_for(self, seconds: float) -> None:
        """Makes the reference's kernel take about ``seconds``."""
        for _ in range(3):  # the first calls warm up
            call = [(np.zeros(self.size),)]
            taken = float(np.median([self.reference.runners[UNITS].run(call)[1] for _ in range(15)]))
            self.size = max(1, round(self.size * seconds / taken))


@contextlib.contextmanager
def busy(cpus: set[int]) -> Iterator[None]:
    """Keeps these cores busy."""
    burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in cpus]  # noqa: S603 -- our own words
    try:
        for burner, cpu in zip(burners, cpus, strict=True):
            os.sched_setaffinity(burner.pid, {cpu})
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def told(events: int, trials: int) -> str:
    """A rate with its exact 95 % bounds."""
    low, high = bounds(events, trials)
    return f"{events} of {trials} (95 %: {low:.2%} to {high:.2%})"


def run(command: str, races: int, record: Path | None, phases: tuple[str, ...] = PHASES) -> int:
    factors = FACTORS if command == "coverage" else (1 / (0.75 * AWAY), 1 / (0.75 / AWAY))
    units = sorted({round(UNITS * factor) for factor in factors})
    rows: list[dict[str, Any]] = []
    with lane() as cpus:
        others = os.sched_getaffinity(0) - set(cpus)
        for name in phases:
            with busy(others if name == "loaded" else set()):
                for n in range(races // len(phases)):
                    if n % SIZED_EVERY == 0:  # a shared machine's speed changes by the minute
                        with Field(cpus, units, 1000) as field:
                            field.size_for(KERNEL_SECONDS)
                    with Field(cpus, units, field.size) as fresh:
                        rows.append(one(fresh, units[n % len(units)], name, n))
                    tell(rows, races)
                    if record:
                        with record.open("a") as file:
                            file.write(json.dumps(rows[-1]) + "\n")
    return report(command, rows)


def one(field: Field, units: int, phase: str, seed: int) -> dict[str, Any]:
    truth = UNITS / units
    row: dict[str, Any] = {"phase": phase, "truth": truth}
    try:
        measured, seconds = field.race(units, MARKS, seed)
    except NoisyHost:
        return {**row, "noisy": True}
    except BoxLost as error:  # which would cost a student the points: a wrong band, and more
        print(f"race {seed}: a box was lost ({error}); {field.last_words()}", file=sys.stderr, flush=True)
        return {**row, "noisy": False, "lost": True, "right": False, "holds": False}
    points = Bands(MARKS).points(measured)
    samples = [[float(f"{part:.4g}") for part in pair] for pair in measured.samples]
    return {
        **row, "noisy": False, "holds": measured.low <= truth <= measured.high, "points": points,
        "right": points == Bands(MARKS).at(truth), "ratio": measured.ratio, "low": measured.low,
        "high": measured.high, "decided": measured.decided, "seconds": seconds,
        "overhead": measured.overhead, "samples": samples,
    }  # fmt: skip


def tell(rows: list[dict[str, Any]], races: int) -> None:
    if len(rows) % 20 == 0:
        print(f"{len(rows)} of {races}", file=sys.stderr, flush=True)


def report(command: str, rows: list[dict[str, Any]]) -> int:
    """A line for each phase and ratio; 1 where the promise isn't kept."""
    kept = True
    for phase in PHASES:
        for truth in sorted({row["truth"] for row in rows}, reverse=True):
            these = [row for row in rows if (row["phase"], row["truth"]) == (phase, truth)]
            done = [row for row in these if not row["noisy"] and not row.get("lost")]
            if not done:
                continue
            wrong = sum(not row["right"] for row in done)
            print(
                f"{phase:7} true {truth:.4f}: {len(done)} races, held by the interval in"
                f" {sum(row['holds'] for row in done)}, another band in {wrong}, undecided"
                f" {sum(not row['decided'] for row in done)}, refused as too noisy {len(these) - len(done)};"
                f" median ratio {np.median([row['ratio'] for row in done]):.4f}, pairs"
                f" {np.mean([len(row['samples']) for row in done]):.0f}, seconds"
                f" {np.mean([row['seconds'] for row in done]):.2f}, overhead"
                f" {np.median([row['overhead'] for row in done]):.4f}"
            )
    done = [row for row in rows if not row["noisy"]]
    print(f"races in which a box was lost: {sum(bool(row.get('lost')) for row in rows)}")
    missed, wrong = sum(not row["holds"] for row in done), sum(not row["right"] for row in done)
    if command == "coverage":
        print(f"the interval missed {told(missed, len(done))}")
        kept = missed <= 0.01 * len(done)
    else:
        print(f"another band in {told(wrong, len(done))}")
        kept = wrong <= 0.001 * len(done)
    print(f"mean seconds of a decision: {np.mean([row['seconds'] for row in done if 'seconds' in row]):.2f}")
    return 0 if kept else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("coverage", "regrading"))
    parser.add_argument("--races", type=int, default=500)
    parser.add_argument("--only", choices=PHASES, help="all races on the idle machine, or beside busy cores")
    parser.add_argument("--record", type=Path, help="a file for a line of JSON a race, samples included")
    given = parser.parse_args()
    return run(given.command, given.races, given.record, (given.only,) if given.only else PHASES)


if __name__ == "__main__":
    raise SystemExit(main())
