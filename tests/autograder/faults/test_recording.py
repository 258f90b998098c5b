"""Killed while a grading is written: what is committed counts, all else is made anew."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from autograder.batch import record
from autograder.errors import PlatformError
from autograder.gradebook import AttemptState, Policy, folders, gradebook, mend
from autograder.gradebook.folders import attempt_folder, autograded_folder, read_files
from autograder.judge import Verdict
from tests.autograder.gradebook.gradings import grading, open_gradebook, result

WRONG = result(Verdict.OK, Verdict.WRONG, Verdict.WRONG)


def killed_at(module: object, name: str, *, after: bool = False) -> Callable[[], None]:
    """Patches a function so that this process is killed where it is called first."""

    def patch() -> None:
        whole = getattr(module, name)

        def fatal(*arguments: Any, **named: Any) -> Any:
            if after:
                whole(*arguments, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, name, fatal)

    return patch


def between_renames() -> None:
    """Killed when the old folder is gone and the new one is not in its place."""
    rename = Path.rename

    def fatal(self: Path, target: Path) -> Path:
        if target.parent.parent.name == "autograded" and not target.name.startswith("."):
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    Path.rename = fatal  # type: ignore[assignment]


POINTS = {
    "before anything is written": killed_at(gradebook, "write_folder"),
    "in an attempt's folder": killed_at(folders, "swap_in"),
    "after the attempt's folder": killed_at(gradebook, "write_folder", after=True),
    "between two renames": between_renames,
    "after the copy that formgraders read": killed_at(gradebook, "copy_folder", after=True),
    "before the commit": killed_at(Session, "flush", after=True),
    "after the commit": killed_at(gradebook, "read_attempt", after=True),
}


def in_a_child(work: Callable[[], object]) -> int:
    """Runs ``work`` in a fork of this process; how it ended."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def grades(course: Path) -> list[Any]:
    """What counts, and what is shown of it."""
    with open_gradebook(course) as book:
        kept = [(each.number, each.points, each.counts, each.sha256) for each in book.attempts()]
    shown = read_files(autograded_folder(course, "ada", "layers"))
    assert not [path for path in course.rglob(".*") if path.name not in (".lock", ".mlsys")]
    return [kept, shown]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("policy", Policy)
def test_killed_while_recording(course: Path, tmp_path: Path, point: str, policy: Policy) -> None:
    with open_gradebook(course) as book:
        book.record_attempt(grading(WRONG), policy)
    calm = shutil.copytree(course, tmp_path / "calm")

    def fatal() -> None:
        with open_gradebook(course) as book:
            POINTS[point]()
            book.record_attempt(grading(result(), minutes=5), policy)

    assert in_a_child(fatal) == -signal.SIGKILL
    for place in (course, calm):
        with open_gradebook(place) as book:
            mend(book, "layers")
            counting = book.counting_attempt("ada", "layers")
            assert counting is not None
            kept = attempt_folder(place, "ada", "layers", counting.number)
            assert read_files(kept) == read_files(autograded_folder(place, "ada", "layers"))
            if len(book.attempts()) == 1:
                book.record_attempt(grading(result(), minutes=5), policy)
    assert grades(course) == grades(calm)


def test_what_a_killed_process_showed_and_never_committed_is_taken_back(course: Path) -> None:
    """The same submission judged again, to fewer points: where the best counts, it doesn't."""
    with open_gradebook(course) as book:
        book.record_attempt(grading(WRONG), Policy.BEST)

    def fatal() -> None:
        with open_gradebook(course) as book:
            POINTS["after the copy that formgraders read"]()
            book.record_attempt(grading(result(), minutes=5), Policy.BEST)

    assert in_a_child(fatal) == -signal.SIGKILL
    with open_gradebook(course) as book:
        worse = result(*[Verdict.WRONG] * 3)
        book.record_attempt(grading(worse, minutes=5), Policy.BEST)
        mend(book, "layers")
        counting = book.counting_attempt("ada", "layers")
    assert counting is not None
    assert counting.number == 1
    kept = attempt_folder(course, "ada", "layers", 1)
    assert read_files(kept) == read_files(autograded_folder(course, "ada", "layers"))


def test_what_can_not_be_written_down_is_that_submissions_fault(course: Path) -> None:
    with open_gradebook(course) as book:
        book.record_attempt(grading(WRONG))
        attempt = record(book, grading(result(), minutes=5, files={"a/b": b""}), Policy.LAST)
        assert attempt.state is AttemptState.FAULT
        assert "ValueError" in attempt.message
        assert book.counting_attempt("ada", "layers") == book.attempts()[0]
    trace = (attempt_folder(course, "ada", "layers", attempt.number) / "fault.txt").read_text()
    assert "not plain file names" in trace


def test_a_full_disk_while_recording_changes_nothing(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_gradebook(course) as book:
        book.record_attempt(grading(WRONG))
        before = grades(course)
        for left in range(4):
            with monkeypatch.context() as patch:
                patch.setattr(Path, "write_bytes", full_after(left))
                with pytest.raises(PlatformError, match=r"No space left .*; make room, then run the same"):
                    record(book, grading(result(), minutes=5), Policy.LAST)
            assert grades(course) == before
        assert book.record_attempt(grading(result(), minutes=5)).counts


def full_after(left: int) -> Callable[[Path, bytes], int]:
    """``Path.write_bytes`` on a disk that has room for so many files more."""
    write, room = Path.write_bytes, left

    def limited(self: Path, data: bytes) -> int:
        nonlocal room
        room -= 1
        if room < 0:
            write(self, data[: len(data) // 2])
            raise OSError(28, os.strerror(28))
        return write(self, data)

    return limited
