"""A course directory of the target assignment and everything that a submission goes through there.

Contract: `Pipeline.hand_in` is what happens to a real submission, by the same seams: intake, snapshot,
repair, the judge with its boxes, the gradebook, feedback, export. `Traces` says what a box left on the host.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from nbformat.notebooknode import NotebookNode

import autograder.sandbox.agent
from autograder.batch import GradingRoom, Job, LocalBench, run_batch
from autograder.gradebook import Attempt, Gradebook, Grading, read_standings, take_in
from autograder.gradebook.export import long_table, write_csv
from autograder.gradebook.feedback import write_feedback
from autograder.gradebook.folders import notebook_bytes
from autograder.judge import Court, Settings, plan_notebook
from autograder.sandbox import DEFAULT_LIMITS, uids
from autograder.sandbox.accounting import descendants
from autograder.sandbox.policy import this_host
from tests.autograder.conftest import CONFIG, nbgrader
from tests.autograder.target import NAME, REFERENCE, assignment

LIMITS = replace(
    DEFAULT_LIMITS, cell_seconds=6, notebook_seconds=20, memory_mb=256, processes=64, output_kb=64, tmp_mb=16
)
CHECK_SECONDS = 3.0
SUBMITTED = datetime(2027, 3, 1, 12, tzinfo=UTC)
SUBREAPER = 36
BOX_UIDS = range(uids.FIRST, uids.FIRST + uids.COUNT)
SETTLE_SECONDS = 10.0


def limited(made: NotebookNode, check_seconds: float = CHECK_SECONDS) -> NotebookNode:
    """A source notebook with tight limits."""
    own = {"version": 1, "assignment": NAME, "limits": asdict(LIMITS), "check_seconds": check_seconds}
    made.metadata["mlsys"] = own
    return made


@dataclass(frozen=True)
class HandedIn:
    """What became of a submission: the judge's grading, the attempt that is kept, and all that its student
    may read of it, as one text."""

    grading: Grading
    attempt: Attempt
    shown: str

    @property
    def problem(self) -> str:
        return " ".join(each.problem for each in self.attempt.notebooks)


@dataclass(frozen=True)
class Pipeline:
    """A released course directory, its open gradebook and the judge."""

    course: Path
    gradebook: Gradebook
    room: GradingRoom

    def hand_in(self, student: str, files: Mapping[str, bytes]) -> HandedIn:
        """Takes in, judges as a batch does (after a fault of this host's again), keeps, and writes what the
        student gets. Raises SubmissionError as intake does."""
        receipt = take_in(self.course, student, NAME, files, clock=lambda: SUBMITTED)
        self.gradebook.record_submission(receipt)
        [judged] = run_batch([Job(receipt)], self.room.grade, 1)
        attempt = self.gradebook.record_attempt(judged.grading)
        pages = write_feedback(self.gradebook, student, NAME)
        write_csv(long_table(read_standings(self.gradebook)), self.course / "grades.csv")
        shown = [path.read_text() for page in pages[:1] for path in sorted(page.parent.iterdir())]
        return HandedIn(judged.grading, attempt, "\n".join(shown))


@contextlib.contextmanager
def open_pipeline(
    folder: Path, court: Court, source: NotebookNode | None = None, check_seconds: float = CHECK_SECONDS
) -> Iterator[Pipeline]:
    """A new course directory, released by the stock nbgrader: the target's, or another ``source``'s."""
    limited_source = limited(assignment(REFERENCE) if source is None else source, check_seconds)
    sources = folder / "source" / NAME
    sources.mkdir(parents=True)
    (sources / f"{NAME}.ipynb").write_bytes(notebook_bytes(limited_source))
    (folder / "nbgrader_config.py").write_text(CONFIG)
    nbgrader(folder, "generate_assignment", NAME)
    with Gradebook(f"sqlite:///{folder}/gradebook.db", folder) as gradebook:
        room = GradingRoom(
            course_dir=folder, bench=LocalBench(court), sources={NAME: limited_source}, secret=b"secret"
        )
        # What boxes are forked from is there before anything is looked for: the assignment's, and that of the
        # small notebook by which a host shows that it is fit for races.
        plan = plan_notebook(limited_source, limited_source)
        for settings in (Settings.of_source(limited_source), Settings()):
            court.judge_visible(plan, settings, b"warm")
        yield Pipeline(folder, gradebook, room)


class Traces:
    """What is on the host of boxes that have ended: compared with how it was before they began."""

    def __init__(self) -> None:
        # A process that outlived its parent becomes our child, so that it's seen.
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        self.before = self._all()

    def left(self) -> list[str]:
        """What is there now and wasn't then, after the time that a process takes to go."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (found := sorted(self._all() - self.before) + self._locked()) and time.monotonic() < deadline:
            self._reap()
        return found

    def _all(self) -> set[str]:
        return {*self._processes(), *self._groups(), *self._files()}

    def _processes(self) -> Iterator[str]:
        yield from (f"process {pid}" for pid in descendants(os.getpid()))

    def _groups(self) -> Iterator[str]:
        place = this_host().place
        for base in set(place.bases.values()) if place else ():
            yield from (f"control group {each}" for each in base.glob(f"mlsys-*-{os.getpid()}-*"))

    def _files(self) -> Iterator[str]:
        for folder in {tempfile.gettempdir(), "/dev/shm", "/var/tmp"}:  # noqa: S108 - looked at, not used
            for entry in os.scandir(folder):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid in BOX_UIDS:
                        yield f"file {entry.path}"

    def _locked(self) -> list[str]:
        """Files that every box can read, and so lock, and that are locked now."""
        held = []
        agent = Path(autograder.sandbox.agent.__file__)
        for file in (Path(sys.executable).resolve(), agent, Path(np.__file__)):
            with file.open("rb") as opened:
                try:
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    held.append(f"a lock on {file}")
        return held

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            for child in [int(each.split()[1]) for each in self._all() - self.before if "process" in each]:
                os.waitpid(child, os.WNOHANG)


def shown_outputs(handed_in: HandedIn) -> list[dict[str, Any]]:
    """The outputs of the student's own cells."""
    results = [each.result for each in handed_in.grading.notebooks if each.result is not None]
    return [output for result in results for cell in result.cells for output in cell.outputs]


def errors(handed_in: HandedIn) -> list[str]:
    """The kinds of error in which the student's own cells ended."""
    return [str(output["ename"]) for output in shown_outputs(handed_in) if output["output_type"] == "error"]


def printed(handed_in: HandedIn) -> str:
    """What the student's cells showed, each line as it was printed."""
    return "\n".join(str(output.get("text") or json.dumps(output)) for output in shown_outputs(handed_in))
