"""Full disks, locked databases, commands that are stopped: clear words, and a second run that completes."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from autograder.errors import PlatformError
from autograder.gradebook import Attempt, receipts
from hub.cli.interrupts import INTERRUPTED
from hub.coursework import SERVER, course_secret, grading_locks, open_gradebook, take
from tests.autograder.faults.canonical import canonical, require_whole
from tests.autograder.faults.classroom import DUE, ID, Classroom, grade, hand_in, written
from tests.hub.command import ROOT

IMPATIENT = "from autograder.gradebook import database; database.BUSY_SECONDS = 1"


# After so many gradings each waits, and says so, until nothing comes on the standard input any more.
HALTING = """
import itertools, sys
from autograder.batch import GradingRoom
grade, number = GradingRoom.grade, itertools.count(1)
def halting(room, job):
    if next(number) > {free}:
        print("halted", file=sys.stderr, flush=True)
        sys.stdin.read()
    return grade(room, job)
GradingRoom.grade = halting
"""


def command_after(before: str, room: Classroom, *options: str) -> list[str]:
    """The words of the command, in a process that runs these statements first."""
    _, _, _, *words = room.command("--json", *options)
    return [sys.executable, "-c", f"{before}\nfrom hub.cli.app import main\nmain()", *words]


def fails(room: Classroom, *, before: str = "pass") -> str:
    """Runs the command, which must end with 2; its words. ``before``: a statement for its process."""
    done = subprocess.run(
        command_after(before, room),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, "COLUMNS": "500"},
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def completes(room: Classroom, graded: Classroom) -> None:
    """Running it again ends in the undisturbed gradebook."""
    grade(room)
    require_whole(room)
    assert canonical(room) == canonical(graded)


@pytest.mark.slow
def test_a_database_that_stays_locked(room: Classroom, few_graded: Classroom) -> None:
    with closing(sqlite3.connect(room.course_dir / "gradebook.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        words = fails(room, before=IMPATIENT)
        other.execute("ROLLBACK")
    assert "gradebook.db has been locked by another program for more than 1 seconds" in words
    assert "then run the same again" in words
    completes(room, few_graded)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB of the test's own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, left: int) -> Path:
    """A file that takes all but so many bytes of the disk."""
    free = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * (free.f_bavail * free.f_frsize - left))
    return ballast


@pytest.mark.slow
def test_a_disk_that_is_full(few: Classroom, few_graded: Classroom, disk: Path) -> None:
    room = few.copy(disk / "room")
    for left_kb in (0, 120):  # at the start, and while gradings are kept
        ballast = fill(disk, left_kb << 10)
        words = fails(room)
        assert str(room.course_dir) in words
        assert "the disk is full" in words or "No space left" in words
        assert "then run the same again" in words
        ballast.unlink()
    completes(room, few_graded)


@pytest.mark.slow
def test_a_submission_that_found_no_room_comes_again(few: Classroom, disk: Path) -> None:
    room = few.copy(disk / "room")
    known = receipts(room.course_dir, "s000", ID)
    ballast = fill(disk, 0)
    with pytest.raises(PlatformError, match="No space left on device; make room"):
        hand_in(room, "s000", written("wrong", 7), DUE)
    assert receipts(room.course_dir, "s000", ID) == known
    assert not [path for path in (room.course_dir / "snapshots").rglob(".*") if path.name != ".lock"]
    ballast.unlink()
    taken = hand_in(room, "s000", written("wrong", 7), DUE)
    assert receipts(room.course_dir, "s000", ID) == (*known, taken)


def test_a_secret_is_never_half_written(disk: Path) -> None:
    ballast = fill(disk, 0)
    with pytest.raises(PlatformError, match=r"\.secret"):
        course_secret(disk)
    ballast.unlink()
    assert course_secret(disk) == course_secret(disk)
    assert [path.name for path in disk.iterdir()] == [".secret"]


@pytest.mark.slow
def test_two_commands_at_once(room: Classroom) -> None:
    with grading_locks(room.course_dir, [ID]):
        assert f"{ID} is being graded already" in fails(room)


def test_a_server_that_has_not_said_yet_who_it_is_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.write_text("a batch")  # the word of who had it last
    with path.open("r+") as servers, path.open("a+") as ours:
        fcntl.flock(servers, fcntl.LOCK_EX)

        def meanwhile(seconds: float) -> None:
            if path.read_text() == SERVER:
                fcntl.flock(servers, fcntl.LOCK_UN)
            path.write_text(SERVER)

        monkeypatch.setattr("hub.coursework.time.sleep", meanwhile)
        take(ours, "a batch")
    assert path.read_text() == "a batch"


def test_a_lock_that_can_not_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / ".mlsys").touch()
    with pytest.raises(PlatformError, match=r"grading-a\.lock"), grading_locks(tmp_path, ["a"]):
        pass


@pytest.mark.slow
def test_a_damaged_snapshot_stops_nobody_else(room: Classroom, few_graded: Classroom) -> None:
    receipt = next((room.course_dir / "snapshots" / "s001" / ID).glob("*/receipt.json"))
    whole = receipt.read_bytes()
    receipt.chmod(0o600)
    receipt.write_bytes(whole[:20])
    assert "receipt.json can't be read" in fails(room)
    graded, expected = canonical(room), canonical(few_graded)
    expected.pop("s001")
    assert graded == expected
    receipt.write_bytes(whole)
    completes(room, few_graded)


@pytest.mark.slow
def test_a_batch_that_is_stopped_and_stopped_again(room: Classroom, few_graded: Classroom) -> None:
    """Ctrl-C twice, which ends at once; then SIGTERM, which lets what is running end."""
    stopped(room, signal.SIGINT, signal.SIGINT, graded=1)
    kept = attempts(room)
    assert len(kept) == 1
    stopped(room, signal.SIGTERM, graded=0)
    assert attempts(room)[:1] == kept
    assert len(attempts(room)) == 2
    completes(room, few_graded)


def stopped(room: Classroom, *signals: signal.Signals, graded: int) -> None:
    """Runs the command until it has graded so many and is at another one, then signals it."""
    words = command_after(HALTING.format(free=graded), room, "--workers", "1")
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        for _ in range(1 + graded):  # how many there are, and one each
            driver.stdout.readline()
        assert driver.stderr.readline() == "halted\n"
        driver.send_signal(signals[0])
        driver.stderr.readline()  # it says that it was heard
        for each in signals[1:]:
            driver.send_signal(each)
        driver.communicate()
    assert driver.returncode == INTERRUPTED


def attempts(room: Classroom) -> tuple[Attempt, ...]:
    with open_gradebook(room.course_dir) as gradebook:
        return gradebook.attempts(assignment=ID)
