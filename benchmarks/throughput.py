"""Submissions a second and CPU seconds a submission: this platform against nbgrader, side by side in one run.

Run: ``.venv/bin/python -m benchmarks.throughput [numeric] [training] [--submissions 100]
[--otter 20] [--alone]``.

For each lesson (see `lessons`) it makes a class and grades it, in this order: with ``mlsys autograde``; with
``nbgrader autograde`` (one process, which grades the class one by one); with nbgrader's API in a pool of 4
processes; and once more with ``mlsys autograde``, from nothing again. With ``--otter N`` the first N
submissions go through ``otter run`` too, one after the other, as it takes them (see `otter`). With
``--alone`` only this platform grades, twice.
Everything counts, from the command to its end: what is loaded at the start, and the gradebook. CPU time is
that of a control group around each (it needs root), so nothing that is started is missed.

The bare run is the same cells and the same tests of the first submissions, executed one after the other in a
warm process without any isolation, in one thread, as in a box: the least that grading could take. It is
measured as grading is, with such a process on every core at once (two that share what a core has slow each
other down), and before, between and after, since a host's speed changes; its mean counts. Ends with 1 where a
mark isn't the same as nbgrader's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograder.gradebook import take_in
from autograder.gradebook.folders import notebook_bytes
from autograder.sandbox.cgroup import Group, group_cpu
from autograder.sandbox.policy import ONE_THREAD, this_host
from benchmarks.lessons import LESSONS, Lesson
from benchmarks.otter import Unavailable, install
from tests.autograder.conftest import CONFIG

POOL = 4
BARE_NOTEBOOKS = 300
COURSE = """\
id = "bench"
title = "A class to measure with"
timezone = "UTC"
[paths]
assignments = "assignments"
solutions = "solutions"
[limits]
{limits}
[late]
grace_minutes = 15
percent_per_day = 10
cutoff_days = 5
[attempts]
most = 20
counts = "last"
[[assignments]]
id = "{name}"
chapter = "one"
weight = 1
release = 2027-02-08T09:00:00
due = 2027-02-22T18:00:00
[[parts]]
title = "One"
chapters = [{{ id = "one", title = "One" }}]
"""
LIMITS = {
    "cell_seconds": 30, "notebook_seconds": 300, "check_seconds": 20, "cpu_seconds": 300, "memory_mb": 1024,
    "processes": 128, "file_mb": 64, "output_kb": 1024, "tmp_mb": 64,
}  # fmt: skip
RECEIVED = datetime(2027, 2, 20, tzinfo=UTC)
BARE = """
import contextlib, io, json, sys, time
import numpy
if sys.argv[1] == "training":
    import torch
    w = torch.ones(2, requires_grad=True); o = torch.optim.SGD([w], lr=0.1); w.sum().backward(); o.step()
total, count = 0.0, 0
for path in sys.argv[2:]:
    cells = [c["source"] for c in json.load(open(path))["cells"] if c["cell_type"] == "code"]
    space = {"__name__": "__main__"}
    begin = time.process_time()
    for source in cells:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            exec(compile("".join(source), "cell", "exec"), space)
    total += time.process_time() - begin
    count += 1
print(total / count)
"""
POOLED = """
import sys
from concurrent.futures import ProcessPoolExecutor
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader
def grade(student):
    config = PyFileConfigLoader("nbgrader_config.py", path=".").load_config()
    return NbGraderAPI(config=config).autograde(sys.argv[1], student)["success"]
if __name__ == "__main__":
    with ProcessPoolExecutor(int(sys.argv[2])) as pool:
        print(sum(not graded for graded in pool.map(grade, sys.argv[3:])))
"""


OURS, AGAIN, STOCK = "mlsys autograde", "mlsys autograde, again", "nbgrader autograde"


@dataclass(frozen=True)
class Measured:
    """``cpu`` is None where no control group could be made."""

    wall: float
    cpu: float | None


@dataclass(frozen=True)
class Class:
    """A course folder with a class's submissions in it."""

    lesson: Lesson
    folder: Path
    students: tuple[str, ...]

    @property
    def course_dir(self) -> Path:
        return self.folder / "course"


def prepare(lesson: Lesson, folder: Path, number: int) -> Class:
    """Releases the lesson with this platform and takes the submissions in."""
    home = folder / "assignments" / lesson.name
    home.mkdir(parents=True)
    (folder / "solutions").mkdir()
    (home / f"{lesson.name}.ipynb").write_bytes(notebook_bytes(lesson.source()))
    limits = "\n".join(f"{name} = {value}" for name, value in LIMITS.items())
    (folder / "course.toml").write_text(COURSE.format(name=lesson.name, limits=limits))
    made = Class(lesson, folder, tuple(f"s{index:05}" for index in range(number)))
    mlsys(made, "release", lesson.name)
    for student, data in lesson.submissions(number):
        files = {f"{lesson.name}.ipynb": data}
        take_in(made.course_dir, student, lesson.name, files, clock=lambda: RECEIVED)
    return made


def mlsys(made: Class, *words: str) -> None:
    environment = {
        **os.environ,
        "MLSYS_COURSE": str(made.folder / "course.toml"),
        "MLSYS_COURSE_DIR": str(made.course_dir),
    }
    run([sys.executable, "-m", "hub.cli.app", *words], Path.cwd(), environment)


def run(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    """What it wrote; ends this program with its words where it failed."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**(environment or os.environ), "PATH": search}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        sys.exit(f"{command}: {done.stderr[-2000:]}")
    return done.stdout


def measured(work: Callable[[], object]) -> Measured:
    """The work in a control group of its own, this process in it meanwhile."""
    place = this_host().place
    if place is None:
        begin = time.perf_counter()
        work()
        return Measured(time.perf_counter() - begin, None)
    group = place.make(1 << 40, 1 << 15)
    homes = [Path(base) / "cgroup.procs" for base in dict.fromkeys(place.bases.values())]
    enter(group)
    try:
        begin, before = time.perf_counter(), group_cpu(group.meters[0])
        work()
        return Measured(time.perf_counter() - begin, (group_cpu(group.meters[0]) - before) / 1e9)
    finally:
        for home in homes:
            home.write_text(str(os.getpid()))
        group.kill()
        group.remove()


def enter(group: Group) -> None:
    for entrance in group.entrances:
        entrance.write_text(str(os.getpid()))


def ours(made: Class) -> None:
    mlsys(made, "autograde", made.lesson.name)


def fresh(made: Class, number: int) -> Class:
    """The same class, ungraded, for another grader: what grading has written is gone."""
    copied = made.folder.with_name(f"{made.folder.name}-{number}")
    shutil.copytree(made.folder, copied, symlinks=True)
    return Class(made.lesson, copied, made.students)


def stock_course(made: Class, number: int) -> Path:
    """A course of the stock nbgrader's, released, with the same submissions."""
    course = made.folder.with_name(f"{made.folder.name}-stock-{number}")
    (course / "source").mkdir(parents=True)
    shutil.copytree(made.course_dir / "source" / made.lesson.name, course / "source" / made.lesson.name)
    (course / "nbgrader_config.py").write_text(CONFIG)
    run([sys.executable, "-m", "nbgrader", "generate_assignment", made.lesson.name], course)
    shutil.copytree(made.course_dir / "submitted", course / "submitted")
    return course


def bare_notebooks(made: Class) -> list[str]:
    """The files of the first submissions with their tests in full, for the bare run."""
    source = {c.metadata.nbgrader.grade_id: c.source for c in made.lesson.source().cells}
    paths = []
    for student in made.students[:BARE_NOTEBOOKS]:
        notebook = json.loads(
            (
                made.course_dir / "submitted" / student / made.lesson.name / f"{made.lesson.name}.ipynb"
            ).read_bytes()
        )
        for cell in notebook["cells"]:
            name = cell["metadata"]["nbgrader"]["grade_id"]
            cell["source"] = source[name] if name.startswith("test_") else cell["source"]
        path = made.folder / f"bare-{student}.ipynb"
        path.write_text(json.dumps(notebook))
        paths.append(str(path))
    return paths


def bare(made: Class, paths: Sequence[str]) -> float:
    """CPU seconds of the cells and tests of one submission, on average, while every core runs them."""
    alone = {**os.environ, **ONE_THREAD}  # threads that wait for each other use CPU time too
    command = [sys.executable, "-c", BARE, made.lesson.name, *paths]
    with ThreadPoolExecutor() as cores:
        said = list(cores.map(lambda core: run(command, made.folder, alone), os.sched_getaffinity(0)))
    return statistics.mean(map(float, said))


def marks(database: Path) -> dict[str, float]:
    """nbgrader's marks in a gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{database}") as gradebook:
        assignment = gradebook.assignments[0].name
        return {each.student.id: float(each.score) for each in gradebook.assignment_submissions(assignment)}


def through_otter(made: Class, count: int, folder: Path, console: Console) -> tuple[Measured, bool] | None:
    """What ``otter run`` takes for the first submissions, and whether its marks are ours.

    None where it can't be had, which is told.
    """
    name = f"{made.lesson.name}.ipynb"
    notebooks = [
        made.course_dir / "submitted" / student / made.lesson.name / name for student in made.students[:count]
    ]
    found: dict[str, float] = {}
    try:
        otter = install(folder, made.lesson)
        took = measured(lambda: found.update(otter.grade(notebooks)))
    except Unavailable as error:
        console.print(f"[red]otter run is not measured: {error}[/]", soft_wrap=True)
        return None
    ours = marks(made.course_dir / "gradebook.db")
    return took, found == {student: ours[student] for student in made.students[:count]}


def compare(lesson: Lesson, number: int, console: Console, otter: int = 0) -> bool:
    """The table of one lesson. Returns whether all marks are the same."""
    with tempfile.TemporaryDirectory(prefix="mlsys-throughput-", dir="/var/tmp") as folder:
        made = prepare(lesson, Path(folder) / "class", number)
        again, serial, pooled = fresh(made, 1), stock_course(made, 1), stock_course(made, 2)
        nbgrader = [sys.executable, "-m", "nbgrader", "autograde", lesson.name]
        pool = [sys.executable, "-c", POOLED, lesson.name, str(POOL), *made.students]
        said: list[str] = []
        paths = bare_notebooks(made)
        least = [bare(made, paths)]
        rows = {OURS: measured(lambda: ours(made))}
        least.append(bare(made, paths))
        rows[STOCK] = measured(lambda: run(nbgrader, serial))
        rows[f"nbgrader, {POOL} processes"] = measured(lambda: said.append(run(pool, pooled)))
        least.append(bare(made, paths))
        rows[AGAIN] = measured(lambda: ours(again))
        least.append(bare(made, paths))
        same = marks(made.course_dir / "gradebook.db") == marks(serial / "gradebook.db")
        theirs = through_otter(made, min(otter, number), Path(folder) / "otter", console) if otter else None
    show(lesson, rows, least, number, console)
    if failed := int(said[0].split()[-1]):
        console.print(f"[yellow]nbgrader in {POOL} processes at once failed on {failed} of them[/]")
    if theirs is not None:
        tell_otter(theirs[0], min(otter, number), rows[OURS].wall / number, console)
        same = same and theirs[1]
    return same


def alone(lesson: Lesson, number: int, console: Console) -> bool:
    """The table of one lesson without nbgrader. Returns whether both runs gave the same marks."""
    with tempfile.TemporaryDirectory(prefix="mlsys-throughput-", dir="/var/tmp") as folder:
        made = prepare(lesson, Path(folder) / "class", number)
        again, paths = fresh(made, 1), bare_notebooks(made)
        least = [bare(made, paths)]
        rows = {OURS: measured(lambda: ours(made))}
        least.append(bare(made, paths))
        rows[AGAIN] = measured(lambda: ours(again))
        least.append(bare(made, paths))
        same = marks(made.course_dir / "gradebook.db") == marks(again.course_dir / "gradebook.db")
    show(lesson, rows, least, number, console)
    return same


def tell_otter(took: Measured, count: int, ours: float, console: Console) -> None:
    """``ours``: seconds a submission of this platform's."""
    cpu = "" if took.cpu is None else f", {1000 * took.cpu / count:.0f} ms of CPU each"
    each = took.wall / count
    console.print(
        f"otter run: {count} in {took.wall:.1f} s{cpu}; mlsys autograde is {each / ours:.1f} times as fast"
    )


def show(
    lesson: Lesson, rows: dict[str, Measured], least: Sequence[float], number: int, console: Console
) -> None:
    table = Table(title=f"{lesson.name}: {number} submissions", header_style="bold")
    for column in ("", "seconds", "a second", "times nbgrader", "CPU ms a submission", "over 1.3 × bare, ms"):
        table.add_column(column, justify="left" if not column else "right")
    stock = rows.get(STOCK)
    for name, one in rows.items():
        cpu = None if one.cpu is None else one.cpu / number
        times = f"{stock.wall / one.wall:.1f}" if stock else "–"
        table.add_row(
            name, f"{one.wall:.1f}", f"{number / one.wall:.2f}", times,
            "–" if cpu is None else f"{1000 * cpu:.0f}",
            "–" if cpu is None else f"{1000 * (cpu - 1.3 * statistics.mean(least)):.0f}",
        )  # fmt: skip
    console.print(table)
    each = ", ".join(f"{1000 * seconds:.1f}" for seconds in least)
    console.print(f"bare runs of the cells, before, between and after: {each} ms of CPU a submission")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", choices=[*LESSONS, []], help="all by default")
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--alone", action="store_true", help="without nbgrader, for a large class")
    parser.add_argument("--otter", type=int, default=0, help="so many of them with otter run, too")
    given = parser.parse_args()
    console = Console(width=120)
    chosen = [LESSONS[name] for name in given.lessons or LESSONS]
    same = True
    for lesson in chosen:
        if given.alone:
            fits = alone(lesson, given.submissions, console)
        else:
            fits = compare(lesson, given.submissions, console, given.otter)
        if not fits:
            console.print(f"[red]{lesson.name}: the marks are not the same[/]")
        same = same and fits
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
