"""A regrading's draft: what judging the stored submissions anew came to, kept beside the gradebook.

    <folder>/draft.json                 what it was judged by; it decides whether the rest is of any use
    <folder>/<student>@<time>-<sha>.json   one judged submission
    <folder>/seen.json                  what the people who looked at it saw (see ``Plan.seen``)

Contract: a record appears whole or not at all, so that judging can stop at any moment and go on later. A
record is used only for the very submission, tests, code and environment that it is of; what can't be read
is judged again. Faults of ours are not kept. Staff only: it holds the words of hidden tests.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.batch.bench import Sources
from autograder.batch.jobs import Job
from autograder.batch.records import MOST_RECORD, judgements, read_judgements, rebuilt
from autograder.errors import PlatformError
from autograder.files import write_whole
from autograder.gradebook import AttemptNotebook, GradedNotebook, Grading, read_snapshot
from autograder.gradebook.folders import unwritable
from autograder.gradebook.gradebook import repaired_of
from autograder.gradebook.grades import answers
from autograder.gradebook.regrading import Drafted
from autograder.gradebook.released import ReleasedCell
from autograder.gradebook.rows import attempt_notebook
from autograder.judge import NotebookResult
from autograder.repair import Repair, RepairKind

HEAD, SEEN = "draft.json", "seen.json"
STAMP = "%Y%m%dT%H%M%S%fZ"
READ_ERRORS = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, PlatformError)


@dataclass(frozen=True)
class DraftKey:
    """What a draft was judged by."""

    assignment: str
    source_version: str
    code_version: str
    environment: str


class Draft:
    """A folder of judged submissions, of one assignment by one set of tests."""

    def __init__(self, folder: Path, key: DraftKey, sources: Sources) -> None:
        """The draft in ``folder``, to be begun before anything else is asked of it."""
        self.folder, self.key, self.sources = folder, key, sources

    @property
    def is_ours(self) -> bool:
        """Whether what is there was judged by these tests, this code and these packages."""
        return _read_json(self.folder / HEAD) == asdict(self.key)

    def begin(self) -> None:
        """Removes what is there of another key. Raises PlatformError."""
        if not self.is_ours:
            self.clear()

    def clear(self) -> None:
        """Forgets all that was judged."""
        try:
            if self.folder.is_dir():
                shutil.rmtree(self.folder)
            self.folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        self._write(self.folder / HEAD, asdict(self.key))

    def keep(self, job: Job, grading: Grading, released: Mapping[str, Mapping[str, ReleasedCell]]) -> None:
        """Keeps what a submission was judged to be. ``released``: the cells of each notebook, by name."""
        marked = {each.name: answers(released[each.name], repaired_of(each)) for each in grading.notebooks}
        repairs = {
            each.name: [asdict(repair) for repair in each.repaired.repairs] if each.repaired else []
            for each in grading.notebooks
        }
        record = {
            **_identity(job),
            "graded": grading.graded.isoformat(),
            "problems": {each.name: each.problem for each in grading.notebooks},
            "answers": marked,
            "repairs": repairs,
            "judgements": judgements(grading.notebooks),
        }
        self._write(self._path(job), record)

    def read(self, job: Job) -> Drafted | None:
        """A judged submission; None where there is none that can be used, and then it is removed."""
        path = self._path(job)
        try:
            record = _read_strictly(path, job)
            results = read_judgements(record["judgements"], self.sources)
            return Drafted(
                student=job.student,
                sha256=job.receipt.sha256,
                submitted=job.receipt.received,
                graded=_moment(record["graded"]),
                notebooks=tuple(self._notebook(name, results[name], record) for name in self.sources),
            )
        except READ_ERRORS:
            with contextlib.suppress(OSError):
                path.unlink()
            return None

    def notebooks(self, course_dir: Path, job: Job) -> tuple[tuple[GradedNotebook, ...], dict[str, bytes]]:
        """The judged notebooks themselves, and the files beside them. Raises PlatformError."""
        files = read_snapshot(course_dir, job.receipt)
        try:
            record = _read_strictly(self._path(job), job)
            results = read_judgements(record["judgements"], self.sources)
        except READ_ERRORS as error:
            raise PlatformError(f"{self._path(job)} can't be read: {error}; run it again") from error
        others = {name: data for name, data in files.items() if not name.lower().endswith(".ipynb")}
        return rebuilt(self.sources, files, results), others

    def see(self, seen: Mapping[str, str]) -> None:
        """Notes what people looked at."""
        self._write(self.folder / SEEN, dict(seen))

    def seen(self) -> dict[str, str] | None:
        """What people looked at; None where nobody has."""
        found = _read_json(self.folder / SEEN)
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else None

    def forget_seen(self) -> None:
        (self.folder / SEEN).unlink(missing_ok=True)

    def _notebook(
        self, name: str, result: NotebookResult | None, record: Mapping[str, Any]
    ) -> AttemptNotebook:
        problem = str(record["problems"][name])
        if bool(problem) != (result is None):
            raise ValueError("a problem, and a judgement")
        graded = GradedNotebook(name, self.sources[name], result=result, problem=problem)
        kept = {str(cell): str(said) for cell, said in record["answers"][name].items()}
        made = attempt_notebook(graded, kept)
        repairs = tuple(
            Repair(RepairKind(each["kind"]), str(each["cell"]), str(each["sentence"]))
            for each in record["repairs"][name]
        )
        return AttemptNotebook(made.name, made.problem, made.checks, made.usage, repairs, made.answers)

    def _path(self, job: Job) -> Path:
        receipt = job.receipt
        return (
            self.folder / f"{receipt.student}@{receipt.received.strftime(STAMP)}-{receipt.sha256[:16]}.json"
        )

    def _write(self, path: Path, record: object) -> None:
        """The file appears whole, in the place of the one before."""
        try:
            write_whole(path, json.dumps(record).encode())
        except OSError as error:
            raise unwritable(path, error) from error


def _identity(job: Job) -> dict[str, str]:
    receipt = job.receipt
    return {
        "student": receipt.student,
        "assignment": receipt.assignment,
        "sha256": receipt.sha256,
        "received": receipt.received.isoformat(),
    }


def _read_strictly(path: Path, job: Job) -> dict[str, Any]:
    """Raises one of ``READ_ERRORS`` for what is no record of this submission."""
    if path.stat().st_size > MOST_RECORD:
        raise ValueError("too large")
    record = json.loads(path.read_bytes())
    if {name: record[name] for name in _identity(job)} != _identity(job):
        raise ValueError("another submission")
    return dict(record)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
