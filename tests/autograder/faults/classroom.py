"""A course with one small assignment and as many submissions as wanted, of every kind.

Contract: ``open_classroom`` makes it through the public seams (a stock release, ``take_in``). The same
kinds make the same submissions; copies of one classroom hold the same bytes, and the same secret, so
that gradings of two copies can be compared.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat

from autograder.gradebook import Receipt, take_in
from hub.coursework import course_secret, open_gradebook
from tests.autograder.conftest import nbgrader
from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve
from tests.hub.command import ROOT

ID = "target"
DUE = datetime(2027, 2, 15, 17, tzinfo=UTC)
COURSE = """
id = "faults"
title = "A course to disturb"
timezone = "UTC"
paths = { assignments = "assignments", solutions = "solutions" }
late = { grace_minutes = 15, percent_per_day = 10, cutoff_days = 5 }
attempts = { most = 20, counts = "last" }

[limits]
cell_seconds = 4
notebook_seconds = 60
check_seconds = 4
cpu_seconds = 60
memory_mb = 256
processes = 32
file_mb = 16
output_kb = 64
tmp_mb = 16

[[parts]]
title = "Foundations"
chapters = [{ id = "primer", title = "Primer" }]

[[assignments]]
id = "target"
chapter = "primer"
weight = 1
release = 2027-02-01T09:00:00
due = 2027-02-15T17:00:00
"""
SETTINGS = {
    "version": 1,
    "assignment": ID,
    "check_seconds": 4,
    "limits": {
        "cell_seconds": 4,
        "notebook_seconds": 60,
        "cpu_seconds": 60,
        "memory_mb": 256,
        "processes": 32,
        "file_mb": 16,
        "output_kb": 64,
        "tmp_mb": 16,
    },
}
RIGHT = "def double(x):\n    return 2 * x", "def norm(v):\n    return float((v ** 2).sum()) ** 0.5"
WRONG = "def double(x):\n    return x * x", "def norm(v):\n    return float(abs(v).sum())"
MOODS = {
    "exit": "import os\nos._exit(3)",
    "kill": "import os\nos.kill(os.getpid(), 9)",
    "sleep": "import time\ntime.sleep(60)",
    "bomb": "held = []\nwhile True:\n    held.append(bytearray(1 << 24))",
    "raise": "raise ValueError('no idea')",
}
KINDS = (*["honest"] * 7, *["half"] * 3, *["wrong"] * 2, "printing", "late", "again")
RARE = ("exit in a cell", "exit in a call", "kill", "unreadable", "sleep", "bomb", "raise", "late")


@dataclass(frozen=True)
class Classroom:
    """``folder`` holds course.toml and, in ``course_dir``, all that grading reads and writes."""

    folder: Path

    @property
    def course(self) -> Path:
        return self.folder / "course.toml"

    @property
    def course_dir(self) -> Path:
        return self.folder / "course"

    def copy(self, folder: Path) -> Classroom:
        return Classroom(shutil.copytree(self.folder, folder))

    def command(self, *words: str) -> list[str]:
        """The words of ``mlsys autograde`` for it."""
        where = ["--course", str(self.course), "--course-dir", str(self.course_dir)]
        return [sys.executable, "-m", "hub.cli.app", "autograde", ID, *where, *words]


def open_classroom(folder: Path, kinds: Sequence[str]) -> Classroom:
    """A released course, with a submission of each of these kinds taken in."""
    room = Classroom(folder)
    for name in ("assignments", "solutions", f"course/source/{ID}"):
        (folder / name).mkdir(parents=True)
    room.course.write_text(COURSE)
    source = assignment(*RIGHT)
    source.metadata["mlsys"] = SETTINGS
    nbformat.write(source, room.course_dir / "source" / ID / f"{ID}.ipynb")
    (room.course_dir / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "faults"\n'
    )
    release(room.course_dir)
    course_secret(room.course_dir)
    with open_gradebook(room.course_dir) as gradebook:
        for student, data, received in handed_in(kinds):
            gradebook.record_submission(hand_in(room, student, data, received))
    return room


def hand_in(room: Classroom, student: str, data: bytes, received: datetime) -> Receipt:
    return take_in(room.course_dir, student, ID, {f"{ID}.ipynb": data}, clock=lambda: received)


def grade(room: Classroom) -> None:
    """`mlsys autograde`, to its good end."""
    done = subprocess.run(room.command("--json"), capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def release(course_dir: Path) -> None:
    """The stock nbgrader's release."""
    nbgrader(course_dir, "generate_assignment", ID)


def assignment(double: str, norm: str, *extra: str) -> Any:
    """The notebook with these answers."""
    return notebook(
        given("import numpy as np"),
        solve("double", double),
        check("double", "assert double(1) == 2", "assert double(3) == 6, 'double is off'", 5, "double"),
        scratch("scale = 3\nprint('scale', scale)"),
        solve("norm", norm),
        check("norm", "length = norm(np.array([3.0, 4.0]))\nassert abs(length - 5) < 1e-9", "", 2, "norm"),
        check("norm-again", "assert length == 5", "assert norm(np.ones(4)) == 2, 'norm is off'", 3, "norm"),
        *map(scratch, extra),
    )


def mixed(count: int, seed: int = 0) -> list[str]:
    """So many kinds in any order: most of them common ones, of the rare and slow ones one in each 25."""
    rng = random.Random(seed)  # noqa: S311 - a test's own dice
    rare = [*RARE * max(1, count // 25)][:count]
    kinds = [*rare, *(rng.choice(KINDS) for _ in range(count - len(rare)))]
    rng.shuffle(kinds)
    return kinds


def handed_in(kinds: Sequence[str]) -> Iterator[tuple[str, bytes, datetime]]:
    """(student, bytes, time) of each submission, and of the earlier ones of those who came again."""
    for number, kind in enumerate(kinds):
        student, received = f"s{number:03}", DUE - timedelta(minutes=number + 1)
        if kind == "again":
            yield student, written("wrong", number), received - timedelta(days=1)
        yield student, written(kind, number), received + timedelta(days=2) * (kind == "late")


def written(kind: str, number: int) -> bytes:
    if kind == "unreadable":
        return b"%PDF-1.7 my answers"
    return bytes(nbformat.writes(submission(kind, number)), "utf-8")


def submission(kind: str, number: int) -> Any:
    mine = f"# by {number}"
    call = {"exit in a call": "exit", "kill": "kill", "sleep": "sleep", "bomb": "bomb", "raise": "raise"}
    if kind in call:
        body = "\n".join(f"    {line}" for line in MOODS[call[kind]].splitlines())
        return assignment(RIGHT[0], f"def norm(v):\n{body}", mine)
    if kind == "exit in a cell":
        return assignment(RIGHT[0], f"{RIGHT[1]}\n{MOODS['exit']}", mine)
    if kind == "half":
        return assignment(RIGHT[0], WRONG[1], mine)
    if kind == "wrong":
        return assignment(*WRONG, mine)
    if kind == "printing":
        return assignment(*RIGHT, f"{mine}\nfor i in range(200):\n    print(i, 'x' * 40)", "import sys\nsys")
    return assignment(*RIGHT, mine)
