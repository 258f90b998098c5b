"""How long a student waits for `mlsys serve-grades`: one submission at a time, and a burst of them.

Run: ``.venv/bin/python -m benchmarks.grade_on_submit [--idle 40] [--burst 500] [--workers 0]``.

A real server, started as anybody starts it, watches a course directory into whose exchange submissions of a
tiny notebook come, as the course service takes them. Idle: each is sent when the one before is graded, at
any moment of the server's rounds; times run from before it is sent until the visible checks' results can be
read, and until the grading is in the gradebook. Burst: all are sent at once. Ends with 1 where one is lost or
graded twice, or where the order of arrival isn't kept: of those that run at once one may end before another,
none may be overtaken by more.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from autograder.batch import default_workers
from benchmarks.lessons import TINY
from benchmarks.throughput import RECEIVED, Class, prepare
from course.reader import read_course
from hub.board import Board
from hub.exchange.exchange import Exchange

LONGEST_SECONDS = 600.0
TARGET_SECONDS = 3.0


@dataclass
class Server:
    """A server at work; ``told`` has (student, when) of each grading."""

    told: queue.SimpleQueue[tuple[str, float]] = field(default_factory=queue.SimpleQueue)

    def read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 -- it is a pipe
        for line in process.stdout:
            event = json.loads(line)
            if event.get("event") == "attempt" and event["state"] == "graded":
                self.told.put((event["student"], time.monotonic()))

    def next(self) -> tuple[str, float]:
        try:
            return self.told.get(timeout=LONGEST_SECONDS)
        except queue.Empty:
            sys.exit(f"nothing was graded for {LONGEST_SECONDS:.0f} s")


@dataclass(frozen=True)
class Times:
    """Of one submission, since it was sent, in seconds."""

    visible: float
    graded: float


@contextmanager
def served(made: Class, workers: int) -> Iterator[Server]:
    """`mlsys serve-grades` while the block runs."""
    environment = {
        **os.environ,
        "MLSYS_COURSE": str(made.folder / "course.toml"),
        "MLSYS_COURSE_DIR": str(made.course_dir),
    }
    command = [
        *(sys.executable, "-m", "hub.cli.app", "serve-grades", made.lesson.name, "--json"),
        *("--workers", str(workers)),
    ]
    server = Server()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        reader = threading.Thread(target=server.read, args=(process,))
        reader.start()
        try:
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
            reader.join()


def send(exchange: Exchange, name: str, student: str, data: bytes) -> float:
    begin = time.monotonic()
    exchange.submit(student, name, {f"{name}.ipynb": data})
    return begin


def idle(
    server: Server, exchange: Exchange, board: Board, name: str, class_: Sequence[tuple[str, bytes]]
) -> list[Times]:
    """One after the other."""
    chance = random.Random(0)  # noqa: S311 -- moments to measure at
    found = []
    for student, data in class_:
        time.sleep(chance.uniform(0, 0.5))
        begin = send(exchange, name, student, data)
        while (notice := board.notice(student, name)) is None or not notice.reports:
            if time.monotonic() > begin + LONGEST_SECONDS:
                sys.exit(f"nothing was judged for {LONGEST_SECONDS:.0f} s")
            time.sleep(0.005)
        visible = time.monotonic() - begin
        graded, when = server.next()
        if graded != student:
            sys.exit(f"{graded} was graded, {student} had submitted")
        found.append(Times(visible, when - begin))
    return found


def most_overtaken(sent: Sequence[str], graded: Sequence[str]) -> int:
    """By how many that came later some submission was overtaken."""
    place = {student: number for number, student in enumerate(sent)}
    order = [place[student] for student in graded]
    return max(
        (sum(earlier > own for earlier in order[:position]) for position, own in enumerate(order)), default=0
    )


def show(title: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
    print(f"{title:34} p50 {statistics.median(ordered):.2f} s, p95 {p95:.2f} s, max {ordered[-1]:.2f} s")


def burst(
    server: Server, exchange: Exchange, name: str, class_: Sequence[tuple[str, bytes]], workers: int
) -> bool:
    """All at once. Returns whether all were graded once, in order."""
    begun = {student: send(exchange, name, student, data) for student, data in class_}
    sent = time.monotonic()
    graded = [server.next() for _ in class_]
    first, last = min(begun.values()), graded[-1][1]
    show(f"burst of {len(class_)}, until it is graded", [when - begun[student] for student, when in graded])
    rate = len(class_) / (last - first)
    print(f"  sent in {sent - first:.1f} s, graded in {last - first:.1f} s: {rate:.1f} a second")
    times = Counter(student for student, _ in graded)
    lost, twice = len(begun) - len(times), sum(count > 1 for count in times.values())
    overtaken = most_overtaken(list(begun), [student for student, _ in graded])
    held = overtaken < workers
    print(f"  lost {lost}, graded twice {twice}; overtaken by at most {overtaken} of those that came later,"
          f" with {workers} at once: the order {'held' if held else 'DID NOT HOLD'}")  # fmt: skip
    return held and not lost and not twice


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--idle", type=int, default=40, help="submissions, one at a time")
    parser.add_argument("--burst", type=int, default=500, help="submissions at once")
    parser.add_argument("--workers", type=int, default=0, help="as of mlsys serve-grades")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mlsys-on-submit-", dir="/var/tmp") as folder:
        made = prepare(TINY, Path(folder) / "class", 0)
        class_ = list(TINY.submissions(1 + given.idle + given.burst))
        started = time.monotonic()
        course = read_course(made.folder / "course.toml")
        with Exchange(
            course,
            made.course_dir,
            clock=lambda: RECEIVED + timedelta(seconds=time.monotonic() - started),
        ) as exchange:
            exchange.release(TINY.name)
            with served(made, given.workers) as server:
                board, name = Board(made.course_dir), TINY.name
                idle(server, exchange, board, name, class_[:1])  # until all is loaded
                times = idle(server, exchange, board, name, class_[1 : 1 + given.idle])
                if times:
                    show("idle, until visible results", [each.visible for each in times])
                    show("idle, until it is graded", [each.graded for each in times])
                    within = sum(each.graded <= TARGET_SECONDS for each in times) / len(times)
                    print(f"  target: 95 % within {TARGET_SECONDS:.0f} s, of these {within:.0%}")
                kept = burst(
                    server, exchange, name, class_[1 + given.idle :], given.workers or default_workers()
                )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
