"""Grades of a large class pushed to a learning platform by LTI 1.3.

Run: ``.venv/bin/python -m benchmarks.lti_push [--students 3000]``. The platform of the tests runs in a
process of its own, on the loopback, and behaves as Moodle does: each score is checked against the token,
the class and the score before. Pushes everything, then again with nothing to do, then with one grade in ten
changed. Every grade is compared with what the platform shows. Target: 3,000 scores in under 60 s.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.gradebook.gradetable import Grade, GradeState, StudentKeys
from hub.cli.console import progress_bar
from hub.exchange.exchange import Exchange
from hub.lti.keys import tool_keys
from hub.lti.launches import Launches
from hub.lti.passback import open_passback
from hub.lti.push import Order, Report, push
from hub.lti.records import Launch, Person, Registration
from tests.hub.exchange.course import FIRST, small_course
from tests.hub.lti.platform import CLIENT, CONTEXT, DEPLOYMENT, LINK, class_of

TARGET_SECONDS = 60.0
MAXIMUM = 100.0


@dataclass(frozen=True)
class Run:
    """``sent``: scores; ``wrong``: that the platform doesn't show."""

    name: str
    sent: int
    wrong: int
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=3000)
    count = parser.parse_args().students
    first = grades(count, lambda n: n % 101)
    changed = grades(count, lambda n: (n % 101 + 50) % 101 if n % 10 == 0 else n % 101)
    with (
        tempfile.TemporaryDirectory() as folder,
        course(Path(folder)) as exchange,
        platform(exchange, count) as url,
    ):
        register(exchange, url, count)
        runs = [
            measured(exchange, "all", first),
            measured(exchange, "nothing", first),
            measured(exchange, "one in ten", changed),
        ]
    cores = len(os.sched_getaffinity(0))
    print(f"{count} students, platform and push on {cores} cores together")
    for run in runs:
        rate = f"{run.sent / run.seconds:.0f} scores a second" if run.sent else "nothing was sent"
        print(f"{run.name:12} {run.sent:5} scores in {run.seconds:6.1f} s, {run.wrong} wrong ({rate})")
    is_good = runs[0].seconds < TARGET_SECONDS and not any(run.wrong for run in runs)
    print(f"target: all right, in under {TARGET_SECONDS:.0f} s: {'ok' if is_good else 'missed'}")
    return 0 if is_good else 1


@contextmanager
def course(folder: Path) -> Iterator[Exchange]:
    (folder / "course").mkdir()
    with Exchange(small_course(folder), folder / "course") as exchange:
        yield exchange


@contextmanager
def platform(exchange: Exchange, count: int) -> Iterator[str]:
    """Its address."""
    command = [sys.executable, "-m", "tests.hub.lti.platform", "--students", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdin is not None and process.stdout is not None  # noqa: S101  # they are pipes
        json.dump(tool_keys(exchange.course_dir).jwks(), process.stdin)
        process.stdin.close()
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def register(exchange: Exchange, url: str, count: int) -> None:
    registration = Registration(url, CLIENT, f"{url}/token", (url.removeprefix("http://"),))
    service = f"{url}/services/Courses/42"
    launch = Launch(
        registration,
        DEPLOYMENT,
        CONTEXT,
        LINK,
        datetime.now(UTC),
        lineitems=f"{service}/lineitems?type_id=2",
        memberships=f"{service}/memberships",
    )
    launches = Launches(exchange.database)
    launches.note(launch, None)
    launches.note_people(Person(url, each.user_id, each.login) for each in class_of(count))


def grades(count: int, points: Callable[[int], int]) -> list[Grade]:
    return [
        Grade("mls", FIRST, "Layers", StudentKeys(each.login), float(points(n)), MAXIMUM, GradeState.GRADED)
        for n, each in enumerate(class_of(count)[1:])
    ]


def measured(exchange: Exchange, name: str, wanted: Sequence[Grade]) -> Run:
    start = time.perf_counter()
    report = pushed(exchange, name, wanted)
    seconds = time.perf_counter() - start
    if report.broken is not None:
        raise report.broken
    # The platform was read afterwards: what isn't confirmed is wrong, and so is what wasn't sent and differs.
    return Run(name, len(report.deliveries), len(report.failed) + differing(report), seconds)


def pushed(exchange: Exchange, name: str, wanted: Sequence[Grade]) -> Report:
    with open_passback(exchange) as passback, progress_bar() as bar:
        task = bar.add_task(f"push {name}", total=None)
        return push(
            passback,
            Order(FIRST, "Layers", MAXIMUM),
            wanted,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def differing(report: Report) -> int:
    """Grades that were not sent, though they differ from what is there."""
    return sum(not each.sends and each.fate.value != "unchanged" for each in report.preview.rows)


if __name__ == "__main__":
    sys.exit(main())
