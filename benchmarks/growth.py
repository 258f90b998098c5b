"""What a class ten and a hundred times as large costs: time and the driver's memory, from 100 to 10,000.

Run: ``.venv/bin/python -m benchmarks.growth [--sizes 100 1000 10000] [--workers 0]``.

For each size a class with a tiny notebook (see `lessons`) is made, and graded by one ``mlsys autograde``,
with every isolation on. Time counts from the command to its end; memory is the most that the command's own
process held (not its boxes': how many of them there are is fixed). Growth is linear where each further
submission takes as long as the first ones did, and memory is flat where the largest class's is at most 1.2
times the smallest's: ends with 1 where it isn't.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.lessons import TINY
from benchmarks.throughput import Class, prepare

FLAT = 1.2
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Row:
    """One class: seconds, and bytes at the driver's peak."""

    size: int
    seconds: float
    peak: int


def graded(made: Class, size: int, workers: int) -> Row:
    environment = {
        **os.environ,
        "MLSYS_COURSE": str(made.folder / "course.toml"),
        "MLSYS_COURSE_DIR": str(made.course_dir),
    }
    command = [
        *(sys.executable, "-m", "hub.cli.app", "autograde", made.lesson.name),
        "--workers",
        str(workers),
    ]
    begin = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 -- our own words
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as driver:
        watch = Watch(driver.pid)
        _, words = driver.communicate()
        seconds = time.perf_counter() - begin
        watch.end()
    if driver.returncode or f"{size} graded" not in words:
        sys.exit(f"{' '.join(command)} ended with {driver.returncode}: {words[-2000:]}")
    return Row(size, seconds, watch.peak)


class Watch:
    """The most memory that a process has held, as the kernel counts it."""

    def __init__(self, pid: int) -> None:
        self.status = Path(f"/proc/{pid}/status")
        self.peak = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self) -> None:
        while not self.over.wait(LOOK_SECONDS):
            try:
                lines = self.status.read_text().splitlines()
            except OSError:
                return
            peaks = [int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")]
            self.peak = max([self.peak, *peaks])

    def end(self) -> None:
        self.over.set()
        self.thread.join()


def show(rows: Sequence[Row], console: Console) -> bool:
    """The table. Returns whether memory is flat."""
    table = Table(header_style="bold")
    for column in (
        "submissions",
        "seconds",
        "ms each further one",
        "driver's peak, MB",
        "times the smallest's",
    ):
        table.add_column(column, justify="right")
    first = rows[0]
    further = [(b.seconds - a.seconds) / (b.size - a.size) for a, b in pairwise(rows)]
    for row, each in zip(rows, [None, *further], strict=True):
        table.add_row(
            f"{row.size:,}", f"{row.seconds:.1f}", "" if each is None else f"{1000 * each:.1f}",
            f"{row.peak / 2**20:.0f}", f"{row.peak / first.peak:.2f}",
        )  # fmt: skip
    console.print(table)
    if len(further) > 1:
        console.print(
            f"time of a further submission: {further[-1] / further[0]:.2f} times that in the first step"
        )
    ratio = rows[-1].peak / first.peak
    console.print(f"memory: {ratio:.2f} times, target at most {FLAT}: {'ok' if ratio <= FLAT else 'MISSED'}")
    return ratio <= FLAT


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000, 3000, 10_000])
    parser.add_argument("--workers", type=int, default=0, help="as of mlsys autograde")
    given = parser.parse_args()
    rows = []
    for size in sorted(given.sizes):
        with tempfile.TemporaryDirectory(prefix="mlsys-growth-", dir="/var/tmp") as folder:
            rows.append(graded(prepare(TINY, Path(folder) / "class", size), size, given.workers))
            print(f"{size:,}: {rows[-1].seconds:.1f} s, {rows[-1].peak / 2**20:.0f} MB", file=sys.stderr)
    return 0 if show(rows, Console(width=110)) else 1


if __name__ == "__main__":
    sys.exit(main())
