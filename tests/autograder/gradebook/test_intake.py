"""What comes in is kept as it came, once, with our time on it."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from autograder.errors import PlatformError, SubmissionError
from autograder.gradebook.intake import read_folder, take_in
from autograder.gradebook.snapshots import (
    Receipt,
    content_sha256,
    latest_receipt,
    latest_receipts,
    read_snapshot,
    receipts,
)

NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


def take(
    course: Path,
    files: dict[str, bytes] | None = None,
    *,
    student: str = "ada",
    assignment: str = "layers",
    at: datetime = NOON,
    allowed: tuple[str, ...] = (),
) -> Receipt:
    return take_in(
        course, student, assignment, files or {"layers.ipynb": b"{}"}, clock=lambda: at, allowed=allowed
    )


def test_a_submission_is_kept_with_a_receipt(tmp_path: Path) -> None:
    receipt = take(tmp_path, {"layers.ipynb": b"one"})
    assert receipt.received == NOON
    assert receipt.folder == f"snapshots/ada/layers/20260901T120000000000Z-{receipt.sha256[:8]}"
    assert read_snapshot(tmp_path, receipt) == {"layers.ipynb": b"one"}
    assert latest_receipt(tmp_path, "ada", "layers") == receipt


def test_the_newest_is_laid_out_for_nbgrader(tmp_path: Path) -> None:
    take(tmp_path, {"layers.ipynb": b"one"})
    take(tmp_path, {"other.ipynb": b"two"}, at=NOON + timedelta(hours=1))
    folder = tmp_path / "submitted/ada/layers"
    assert {path.name for path in folder.iterdir()} == {"other.ipynb", "timestamp.txt"}
    assert (folder / "timestamp.txt").read_text() == "2026-09-01 13:00:00.000000 UTC\n"
    assert [path.name for path in folder.parent.iterdir()] == ["layers"]


def test_an_older_one_that_comes_in_later_is_kept_and_does_not_replace_the_newest(tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    take(tmp_path, {"layers.ipynb": b"two"}, at=NOON + hour)
    first = take(tmp_path, {"layers.ipynb": b"one"})
    assert take(tmp_path, {"layers.ipynb": b"one"}) == first
    assert [each.received for each in receipts(tmp_path, "ada", "layers")] == [NOON, NOON + hour]
    assert (tmp_path / "submitted/ada/layers/layers.ipynb").read_bytes() == b"two"


def test_every_submission_is_kept(tmp_path: Path) -> None:
    for n in range(3):
        take(tmp_path, {"layers.ipynb": str(n).encode()}, at=NOON + timedelta(minutes=n))
    kept = receipts(tmp_path, "ada", "layers")
    assert [read_snapshot(tmp_path, each)["layers.ipynb"] for each in kept] == [b"0", b"1", b"2"]


def test_the_same_bytes_again_keep_the_first_time(tmp_path: Path) -> None:
    first = take(tmp_path)
    assert take(tmp_path, at=NOON + timedelta(days=1)) == first
    assert len(receipts(tmp_path, "ada", "layers")) == 1


def test_going_back_to_older_bytes_is_a_submission(tmp_path: Path) -> None:
    for n, data in enumerate([b"a", b"b", b"a"]):
        take(tmp_path, {"layers.ipynb": data}, at=NOON + timedelta(minutes=n))
    assert len(receipts(tmp_path, "ada", "layers")) == 3
    assert (tmp_path / "submitted/ada/layers/layers.ipynb").read_bytes() == b"a"


def test_the_same_bytes_again_mend_a_lost_layout(tmp_path: Path) -> None:
    take(tmp_path)
    (tmp_path / "submitted/ada/layers/layers.ipynb").unlink()
    take(tmp_path)
    assert (tmp_path / "submitted/ada/layers/layers.ipynb").read_bytes() == b"{}"


def test_a_snapshot_is_read_only(tmp_path: Path) -> None:
    receipt = take(tmp_path)
    path = tmp_path / receipt.folder / "files/layers.ipynb"
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0


def test_a_snapshot_that_changed_is_not_graded(tmp_path: Path) -> None:
    receipt = take(tmp_path)
    path = tmp_path / receipt.folder / "files/layers.ipynb"
    path.chmod(0o644)
    path.write_bytes(b"better")
    with pytest.raises(PlatformError, match="not what was received"):
        read_snapshot(tmp_path, receipt)


def test_times_are_kept_in_utc(tmp_path: Path) -> None:
    east = timezone(timedelta(hours=2))
    receipt = take(tmp_path, at=datetime(2026, 9, 1, 14, 0, tzinfo=east))
    assert receipt.received.isoformat() == "2026-09-01T12:00:00+00:00"


@pytest.mark.parametrize("student", ["", "..", "../ada", "a/b", "ada\n", "-ada", "a" * 65, "a+b", "ä"])
def test_a_student_id_is_a_plain_name(tmp_path: Path, student: str) -> None:
    with pytest.raises(SubmissionError, match="not a student id"):
        take(tmp_path, student=student)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("assignment", ["", "..", "a/b", "a b", ".hidden"])
def test_an_assignment_id_is_a_plain_name(tmp_path: Path, assignment: str) -> None:
    with pytest.raises(SubmissionError, match="not an assignment id"):
        take(tmp_path, assignment=assignment)


@pytest.mark.parametrize(
    "name",
    ["../gradebook.db", "/etc/passwd", ".ipynb", "a\0.ipynb", "a\n.ipynb", "..", "a/b.ipynb", "x" * 101],
)
def test_a_file_name_is_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(SubmissionError, match="is no file name"):
        take(tmp_path, {name: b"", "layers.ipynb": b""})


def test_a_forged_timestamp_is_not_taken(tmp_path: Path) -> None:
    receipt = take(tmp_path, {"layers.ipynb": b"", "timestamp.txt": b"1999-01-01 00:00:00 UTC"})
    assert receipt.ignored == ("timestamp.txt",)
    assert (tmp_path / "submitted/ada/layers/timestamp.txt").read_text().startswith("2026-09-01 12:00")


def test_two_names_that_are_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="is there twice"):
        take(tmp_path, {"\u00dc.ipynb": b"a", "U\u0308.ipynb": b"b"})


def test_only_named_files_are_taken_beside_notebooks(tmp_path: Path) -> None:
    files = {"layers.ipynb": b"", "notes.txt": b"", "weights.npy": b"w"}
    receipt = take(tmp_path, files, allowed=("weights.npy",))
    assert [each.name for each in receipt.files] == ["layers.ipynb", "weights.npy"]
    assert receipt.ignored == ("notes.txt",)


def test_a_name_in_another_alphabet_is_a_name(tmp_path: Path) -> None:
    receipt = take(tmp_path, {"Übung-1.ipynb": b"x"})
    assert read_snapshot(tmp_path, receipt) == {"Übung-1.ipynb": b"x"}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"notes.txt": b""}, "no notebook"),
        ({f"{n}.ipynb": b"" for n in range(51)}, "51 files"),
        ({"big.ipynb": bytes(20 * 2**20 + 1)}, "20.0 MB"),
        ({f"{n}.ipynb": bytes(20 * 2**20) for n in range(6)}, "together"),
    ],
)
def test_what_is_too_much_or_too_little_is_refused(
    tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    with pytest.raises(SubmissionError, match=words):
        take(tmp_path, files)


def test_the_hash_tells_names_and_bytes_apart() -> None:
    assert content_sha256({"a": b"bc"}) != content_sha256({"ab": b"c"})
    assert content_sha256({"a": b"", "b": b"x"}) != content_sha256({"a": b"x", "b": b""})


def test_the_newest_of_every_student(tmp_path: Path) -> None:
    take(tmp_path, student="bob")
    take(tmp_path)
    last = take(tmp_path, {"layers.ipynb": b"2"}, at=NOON + timedelta(days=1))
    take(tmp_path, student="eve", assignment="other")
    assert [each.student for each in latest_receipts(tmp_path, "layers")] == ["ada", "bob"]
    assert latest_receipts(tmp_path, "layers")[0] == last


def test_a_folder_is_read_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.ipynb").write_bytes(b"x")
    (folder / ".ipynb_checkpoints").mkdir()
    assert read_folder(folder) == {"a.ipynb": b"x"}
    (folder / "b.ipynb").symlink_to("../secret")
    with pytest.raises(SubmissionError, match=r"b\.ipynb is a link"):
        read_folder(folder)


def test_a_hard_link_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s")
    hard, pipe = tmp_path / "hard", tmp_path / "pipe"
    hard.mkdir()
    os.link(tmp_path / "secret", hard / "a.ipynb")
    pipe.mkdir()
    os.mkfifo(pipe / "a.ipynb")
    for folder in (hard, pipe):
        with pytest.raises(SubmissionError, match="not a plain file"):
            read_folder(folder)
