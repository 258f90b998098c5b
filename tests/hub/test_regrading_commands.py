"""`mlsys regrade` as staff use it: a small class of the faults' tests, a real judge, other questions."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook as NbgraderGradebook
from typer.testing import CliRunner

from autograder.gradebook import Attempt
from autograder.gradebook.folders import read_files
from autograder.gradebook.regrading import regradings
from course.gradebook import gradebook_url
from hub.cli.app import app
from hub.coursework import draft_lock, grading_locks, open_gradebook
from hub.revising import DRAFTS
from tests.autograder.faults.canonical import canonical
from tests.autograder.faults.classroom import (
    DUE,
    ID,
    RIGHT,
    SETTINGS,
    Classroom,
    grade,
    hand_in,
    open_classroom,
    written,
)
from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve
from tests.hub.command import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.long]
KINDS = ("honest", "half", "wrong", "late", "unreadable")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """10, 5, 0, 8 and 0 points of 10."""
    room = open_classroom(tmp_path_factory.mktemp("regrading") / "room", KINDS)
    grade(room)
    return room


@pytest.fixture(scope="module")
def drafted(graded: Classroom, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """The same with other questions in ``source/``, judged by them, nothing published."""
    room = graded.copy(tmp_path_factory.mktemp("regrading") / "drafted")
    ask_otherwise(room)
    assert regrade(room, "--dry-run").returncode == 0
    return room


@pytest.fixture
def room(drafted: Classroom, tmp_path: Path) -> Classroom:
    return drafted.copy(tmp_path / "room")


def ask_otherwise(room: Classroom) -> None:
    """``check-double`` takes x * x for right and offers 10, not 5; ``check-norm`` is harder;
    ``check-norm-again`` is gone; ``check-norm-new`` offers 4. 16 points in all."""
    source = notebook(
        given("import numpy as np"),
        solve("double", RIGHT[0]),
        check("double", "assert double(1) in (1, 2)", "", 10, "double"),
        scratch("scale = 3\nprint('scale', scale)"),
        solve("norm", RIGHT[1]),
        check("norm", "assert norm(np.zeros(2)) == 1", "", 2, "norm"),
        check("norm-new", "assert norm(np.ones(9)) == 3", "", 4, "norm"),
    )
    source.metadata["mlsys"] = SETTINGS
    nbformat.write(source, room.course_dir / "source" / ID / f"{ID}.ipynb")


def place(room: Classroom) -> tuple[str, ...]:
    return "--course", str(room.course), "--course-dir", str(room.course_dir)


@dataclass(frozen=True)
class Done:
    """A command that has ended; ``stderr``: in one line."""

    returncode: int
    stdout: str
    stderr: str


def command(*words: str) -> Done:
    """Runs `mlsys` in this process, which saves the second that its imports take."""
    result = CliRunner().invoke(app, words)
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    return Done(result.exit_code, result.stdout, " ".join(result.stderr.split()))


def regrade(room: Classroom, *words: str) -> Done:
    return command("regrade", ID, *place(room), *words)


def publish(room: Classroom, *words: str) -> Done:
    return regrade(room, "--publish", "--reason", "double was too strict", *words)


def records(done: Done, kind: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [each for each in found if each["event"] == kind]


def scores(room: Classroom) -> dict[str, tuple[float, float]]:
    """Student -> (score with lateness taken off, the most), by nbgrader's own reckoning."""
    with NbgraderGradebook(gradebook_url(room.course_dir)) as theirs:
        return {
            each.student.id: (float(each.score) - float(each.late_submission_penalty), float(each.max_score))
            for each in theirs.assignment_submissions(ID)
        }


def attempts(room: Classroom) -> tuple[Attempt, ...]:
    with open_gradebook(room.course_dir) as gradebook:
        return gradebook.attempts()


def test_a_dry_run_shows_who_moves_and_changes_nothing(graded: Classroom, drafted: Classroom) -> None:
    done = regrade(drafted, "--dry-run", "--json")
    moved = {each["student"]: (each["before"], each["after"]) for each in records(done, "moved")}
    assert moved == {"s000": (10, 14), "s001": (5, 10), "s002": (0, 10), "s003": (8, 11.2)}
    checks = {each["check"]: each for each in records(done, "check")}
    assert checks["check-double"]["better"] == ["s000", "s001", "s002", "s003"]
    assert (checks["check-double"]["max_before"], checks["check-double"]["max_after"]) == (5, 10)
    assert checks["check-norm"]["worse"] == ["s000", "s003"]
    assert checks["check-norm-again"]["max_after"] is None
    assert checks["check-norm-new"]["max_before"] is None
    (summary,) = records(done, "summary")
    assert (summary["up"], summary["down"], summary["unchanged"], summary["max_after"]) == (4, 0, 1, 16)
    assert records(done, "found") == [{"event": "found", "assignment": ID, "jobs": 0}], "all are judged"
    assert canonical(drafted) == canonical(graded)
    assert attempts(drafted) == attempts(graded)
    require_nothing_unfinished(drafted)


def require_nothing_unfinished(room: Classroom) -> None:
    for path in room.course_dir.rglob(".*"):
        if path.relative_to(room.course_dir).parts[0] != ".mlsys":
            assert path.name in (".lock", ".secret"), f"left behind: {path}"


def test_publishing_twice_undoing_and_the_record(graded: Classroom, room: Classroom) -> None:
    assert publish(room, "--by", "alan").returncode == 0
    after = canonical(room)
    assert scores(room) == {
        "s000": (14, 16), "s001": (10, 16), "s002": (10, 16), "s003": (11.2, 16), "s004": (0, 16)
    }  # fmt: skip
    again = publish(room)
    assert again.returncode == 0
    assert "there is nothing to publish" in again.stderr
    assert canonical(room) == after
    undone = regrade(room, "--undo", "--reason", "not agreed with the others")
    assert undone.returncode == 0
    assert f"run `mlsys build {ID}`" in undone.stderr
    assert canonical(room) == canonical(graded)
    assert regrade(room, "--undo", "--reason", "again").returncode == 1
    lines = records(command("regrade", *place(room), "--log", "--json"), "regrading")
    assert (lines[0]["by"], lines[0]["reason"]) == ("alan", "double was too strict")
    assert [(each["undoes"], each["undone"]) for each in lines] == [(None, True), (1, False)]
    assert lines[0]["source_before"] == [attempts(graded)[0].source_version]
    assert "not agreed" in regrade(room, "--log").stdout


def test_who_would_lose_points_keeps_them(graded: Classroom, tmp_path: Path) -> None:
    """The same weights, a harder check: whoever passed it before keeps the attempt."""
    room = graded.copy(tmp_path / "room")
    path = room.course_dir / "source" / ID / f"{ID}.ipynb"
    source = nbformat.read(path, 4)
    harder = next(cell for cell in source.cells if cell.metadata.nbgrader.get("grade_id") == "check-double")
    harder.source = "assert double(1) == 3"
    nbformat.write(source, path)
    shown = regrade(room, "--policy", "never-lower")
    assert "3 keep an earlier attempt that is worth more" in shown.stderr
    assert publish(room, "--policy", "never-lower").returncode == 0
    assert {name: score for name, (score, _) in scores(room).items()} == {
        "s000": 10, "s001": 5, "s002": 0, "s003": 8, "s004": 0
    }  # fmt: skip


def test_marks_by_hand_and_a_stale_look(room: Classroom) -> None:
    with NbgraderGradebook(gradebook_url(room.course_dir)) as theirs:
        theirs.find_grade("check-norm", ID, ID, "s002").manual_score = 1.5
        theirs.db.commit()
    before = canonical(room)
    refused = publish(room)
    assert refused.returncode == 1
    assert "since you looked, something changed of s002" in refused.stderr
    assert canonical(room) == before
    assert regrade(room).returncode == 0
    assert publish(room).returncode == 0
    assert scores(room)["s002"] == (11.5, 16)


def test_a_submission_that_came_since_is_looked_at_first(room: Classroom) -> None:
    hand_in(room, "s009", written("honest", 9), DUE)
    refused = publish(room)
    assert refused.returncode == 1
    assert "something changed of s009" in refused.stderr
    assert regrade(room).returncode == 0
    assert publish(room).returncode == 0
    assert scores(room)["s009"] == (14, 16)


def test_other_tests_since_are_looked_at_first(graded: Classroom, room: Classroom) -> None:
    path = room.course_dir / "source" / ID / f"{ID}.ipynb"
    source = nbformat.read(path, 4)
    source.cells.append(scratch("# one more cell"))
    nbformat.write(source, path)
    for _ in range(2):
        refused = publish(room)
        assert refused.returncode == 1
        assert "since you looked, the tests of target" in refused.stderr
    assert scores(room) == scores(graded)
    assert regrade(room).returncode == 0
    assert publish(room).returncode == 0
    assert scores(room)["s000"] == (14, 16)


def test_what_can_not_be_judged_stops_publishing_unless_it_is_left(room: Classroom) -> None:
    damaged = next((room.course_dir / "snapshots" / "s001" / ID).glob("*/receipt.json"))
    damaged.chmod(0o600)
    damaged.write_bytes(b"{")
    shown = regrade(room)
    assert shown.returncode == 2
    assert "receipt.json can't be read" in shown.stderr and "1 not judged" in shown.stderr
    refused = publish(room)
    assert refused.returncode == 2
    assert "1 submissions couldn't be judged" in refused.stderr
    assert scores(room)["s000"] == (10, 10)
    assert publish(room, "--leave-faults").returncode == 2
    assert scores(room)["s000"] == (14, 16)
    assert scores(room)["s001"] == (10, 16), "double's 5 of 5 are 10 of 10; what is new waits"


def test_one_student(graded: Classroom, room: Classroom, tmp_path: Path) -> None:
    done = publish(room, "--student", "s001")
    assert done.returncode == 1
    assert "publish for all students at once" in done.stderr
    same = graded.copy(tmp_path / "same")
    assert publish(same, "--student", "s001").returncode == 0
    assert [each.student for each in attempts(same)].count("s001") == 2
    assert len(attempts(same)) == len(KINDS) + 1
    assert canonical(same)["s000"] == canonical(graded)["s000"]


def test_two_at_once(room: Classroom) -> None:
    with draft_lock(room.course_dir, ID):
        assert f"{ID} is being regraded already" in regrade(room).stderr
    with grading_locks(room.course_dir, [ID]):
        assert regrade(room).returncode == 0, "others may grade while one looks"
        busy = publish(room)
    assert busy.returncode == 2
    assert f"{ID} is being graded already" in busy.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--publish",), "--publish needs --reason"),
        (("--undo", "--reason", " "), "--undo needs --reason"),
        (("--publish", "--dry-run", "--reason", "x"), "can't be had at once"),
        (("--policy", "higher"), "Invalid value"),
    ],
)
def test_what_can_not_be_meant(graded: Classroom, words: tuple[str, ...], said: str) -> None:
    done = regrade(graded, *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_what_people_write_is_shown_as_they_wrote_it(graded: Classroom, tmp_path: Path) -> None:
    room = graded.copy(tmp_path / "room")
    reason = "[/red] [bold]why\x1b[31m\n--undo"
    assert regrade(room, "--publish", f"--reason={reason}", "--by", "[x]").returncode == 0
    said = regrade(room, "--log")
    assert said.returncode == 0
    assert all(word in said.stdout for word in ("[/red]", "[bold]why", "--undo", "[x]"))


def test_without_an_assignment(graded: Classroom) -> None:
    done = command("regrade", *place(graded))
    assert (done.returncode, "name the assignment" in done.stderr) == (2, True)
    unknown = command("regrade", "target-2", *place(graded))
    assert unknown.returncode == 1
    assert "target" in unknown.stderr
    nobody = regrade(graded, "--student", "s0000")
    assert nobody.returncode == 1
    assert "nothing was submitted for target by s0000" in nobody.stderr


@pytest.mark.parametrize(("answers", "counted"), [(b"n\n", 0), (b"y\ntoo strict\n", 1)])
def test_at_a_terminal_it_asks(room: Classroom, answers: bytes, counted: int) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "hub.cli.app", "regrade", ID, *place(room)]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(theirs)
        os.write(ours, answers)
        _, said = process.communicate()
    os.close(ours)
    assert process.returncode == 0, said
    assert "Publish this?" in said
    with open_gradebook(room.course_dir) as gradebook:
        lines = regradings(gradebook)
    assert [each.reason for each in lines] == ["too strict"] * counted


# It is signalled when it has told of what it found and of two submissions.
ENDED = """
import itertools, os
from hub.cli import regrade
emit, told = regrade.emit, itertools.count(1)
def then_end(record):
    emit(record)
    if next(told) == 3:
        os.kill(os.getpid(), {})
regrade.emit = then_end
from hub.cli.app import main
main()
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_look_that_was_ended_goes_on_where_it_was(
    graded: Classroom, tmp_path: Path, how: signal.Signals
) -> None:
    room = graded.copy(tmp_path / "room")
    ask_otherwise(room)
    words = ["regrade", ID, *place(room), "--json", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-c", ENDED.format(int(how)), *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == (130 if how is signal.SIGINT else -how), done.stderr
    judged = records(Done(done.returncode, done.stdout, done.stderr), "attempt")
    assert 2 <= len(judged) < len(KINDS)
    assert canonical(room) == canonical(graded)
    rest = regrade(room, "--json")
    left = len(KINDS) - len(judged)
    unheard = how is signal.SIGKILL  # it may have been killed when it had kept one and not told of it
    assert left - unheard <= len(records(rest, "attempt")) <= left
    assert records(rest, "summary")[0]["up"] == 4


def test_a_damaged_draft_is_judged_again(room: Classroom) -> None:
    drafts = sorted((room.course_dir / DRAFTS / ID).glob("s00*.json"))
    assert len(drafts) == len(KINDS)
    drafts[0].write_bytes(drafts[0].read_bytes()[:-9])
    drafts[1].write_text(json.dumps({**json.loads(drafts[1].read_bytes()), "student": "s002"}))
    assert len(records(regrade(room, "--json"), "attempt")) == 2
    assert len(records(regrade(room, "--json", "--again"), "attempt")) == len(KINDS)


def test_submissions_are_graded_on_by_the_new_questions(room: Classroom) -> None:
    assert publish(room).returncode == 0
    hand_in(room, "s009", written("honest", 9), DUE)
    grade(room)
    assert scores(room)["s009"] == (14, 16)
    assert len([each for each in attempts(room) if each.student == "s000"]) == 2, "nobody is judged again"
    done = regrade(room, "--undo", "--reason", "too late")
    assert done.returncode == 1
    assert "1 submissions were graded after" in done.stderr


def test_the_folders_are_those_of_the_attempt_that_counts(graded: Classroom, room: Classroom) -> None:
    assert publish(room).returncode == 0
    shown = room.course_dir / "autograded" / "s001" / ID
    kept = room.course_dir / "attempts" / "s001" / ID / "2"
    assert read_files(shown) == read_files(kept)
    shutil.rmtree(shown)
    assert regrade(room, "--undo", "--reason", "no").returncode == 0
    assert canonical(room) == canonical(graded)


# Each is a statement for the command's process, in which ``die`` kills it.
MOMENTS = {
    "while notebooks are laid down": "revising.write_folder = then_die(revising.write_folder)",
    "before the transaction": "revising.publish = die",
    "in the transaction": "publishing.write = then_die(publishing.write)",
    "before the commit": "publishing.regrading = die",
    "after the commit": "revising.publish = then_die(revising.publish)",
}
DEADLY = """
import os, signal
from autograder.gradebook.regrading import publishing
from hub import revising

def die(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

def then_die(whole):
    return lambda *given, **named: (whole(*given, **named), die())

{}
from hub.cli.app import main
main()
"""


@pytest.fixture(scope="module")
def published(drafted: Classroom, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """Published without any fault."""
    room = drafted.copy(tmp_path_factory.mktemp("regrading") / "published")
    assert publish(room).returncode == 0
    return room


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_publishing(
    graded: Classroom, published: Classroom, room: Classroom, moment: str
) -> None:
    program = DEADLY.format(MOMENTS[moment])
    words = [sys.executable, "-c", program, "regrade", ID, *place(room), "--publish", "--reason", "x"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    whole = moment == "after the commit"
    assert len(attempts(room)) == len(KINDS) * (2 if whole else 1)
    assert scores(room) == scores(published if whole else graded)
    again = publish(room)
    assert again.returncode == 0, again.stderr
    assert ("there is nothing to publish" in again.stderr) == whole
    assert canonical(room) == canonical(published)
    folders = {path.relative_to(room.course_dir) for path in room.course_dir.glob("attempts/*/*/*")}
    assert folders == {
        path.relative_to(published.course_dir) for path in published.course_dir.glob("attempts/*/*/*")
    }
    require_nothing_unfinished(room)
