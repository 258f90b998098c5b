"""Submissions a second on a Dask cluster of 1, 2 and 4 workers, beside this host's own pool, in one run.

Run: ``.venv/bin/python -m benchmarks.dask_workers [numeric] [--workers 1 2 4] [--submissions 100]``.

For each number a cluster is started with ``mlsys cluster start``: a scheduler, and workers that take one
submission at a time, over TLS on the loopback. A class is graded on it with ``mlsys autograde --scheduler``,
once to have everything loaded, with a tenth of the class, and once as measured, from the command to its end.
All of it shares the cores of this host: more workers than cores can't be faster. Ends with 1 where a mark
isn't that of the host's own pool.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.lessons import LESSONS, TINY
from benchmarks.throughput import Class, fresh, marks, mlsys, prepare

KNOWN = {**LESSONS, TINY.name: TINY}


@dataclass(frozen=True)
class Row:
    name: str
    seconds: float
    same: bool


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, ...]]:
    """A cluster until the end of the block; the words that send a batch to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    certificates = folder / "certificates"
    words = ["--workers", str(workers), "--threads", "1", "--port", str(port)]
    command = [*(sys.executable, "-m", "hub.cli.app", "cluster", "start"), *words]
    with subprocess.Popen(  # noqa: S603 -- our own words
        [*command, "--certificates", str(certificates)], stderr=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stderr is not None  # noqa: S101 -- it is a pipe
        said = keeper.stderr.readline()
        if "a scheduler at" not in said:
            sys.exit(f"no cluster: {said}{keeper.stderr.read()}")
        try:
            yield ("--scheduler", f"tls://127.0.0.1:{port}", "--certificates", str(certificates))
        finally:
            keeper.send_signal(signal.SIGINT)
            keeper.communicate()


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def on_cluster(made: Class, number: int, workers: int, expected: dict[str, float]) -> Row:
    own = fresh(made, number)
    with cluster(own.folder, workers) as words:
        first = [word for each in own.students[: -(-len(own.students) // 10)] for word in ("--student", each)]
        mlsys(own, "autograde", own.lesson.name, *words, *first)
        took = seconds(lambda: mlsys(own, "autograde", own.lesson.name, "--again", *words))
    return Row(
        f"{workers} Dask worker{'s' if workers > 1 else ''}",
        took,
        marks(own.course_dir / "gradebook.db") == expected,
    )


def show(rows: list[Row], count: int, console: Console) -> None:
    table = Table(title=f"{count} submissions, {os.cpu_count()} cores", header_style="bold")
    for column in ("", "seconds", "a second", "times the first cluster"):
        table.add_column(column, justify="left" if not column else "right")
    first = rows[1].seconds if len(rows) > 1 else rows[0].seconds
    for row in rows:
        marked = row.name if row.same else f"[red]{row.name}: other marks[/]"
        table.add_row(
            marked, f"{row.seconds:.1f}", f"{count / row.seconds:.2f}", f"{first / row.seconds:.2f}"
        )
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lesson", nargs="?", choices=list(KNOWN), default="numeric")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--submissions", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mlsys-dask-", dir="/var/tmp") as folder:
        made = prepare(KNOWN[given.lesson], Path(folder) / "class", given.submissions)
        local = fresh(made, 0)
        rows = [Row("this host's pool", seconds(lambda: mlsys(local, "autograde", given.lesson)), True)]
        expected = marks(local.course_dir / "gradebook.db")
        for number, workers in enumerate(given.workers, 1):
            rows.append(on_cluster(made, number, workers, expected))
    show(rows, given.submissions, Console(width=110))
    return 0 if all(row.same for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
