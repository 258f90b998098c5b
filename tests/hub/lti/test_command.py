"""mlsys lti as people run it: wrong inputs, a no, twice, Ctrl-C, and killed in the middle."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.gradebook.gradetable import StudentKeys
from autograder.judge import Verdict
from hub.cli.lti import app
from hub.exchange.people import excuse, keep_keys
from tests.autograder.gradebook.gradings import result
from tests.hub.lti.classroom import LAYERS, Classroom, events, named
from tests.hub.lti.faults import Fault, Kind
from tests.hub.lti.gradebook import Column
from tests.hub.lti.platform import CLIENT, CONTEXT

pytestmark = pytest.mark.slow


def test_dry_run_then_push_then_nothing_to_do(classroom: Classroom) -> None:
    expected = classroom.grade_all()
    looked = classroom.run("push", LAYERS, "--dry-run")
    assert looked.exit_code == 0, looked.stderr
    assert re.search(r"new\s+│\s+5", looked.stdout)
    assert "will be made" in looked.stderr
    assert not classroom.platform.columns
    sent = classroom.run("push", LAYERS, "--yes")
    assert sent.exit_code == 0, sent.stderr
    assert "5 of 5 scores arrived" in sent.stderr
    assert classroom.shown() == expected
    again = classroom.run("push", LAYERS, "--yes")
    assert again.exit_code == 0
    assert "nothing to send" in again.stderr
    assert len(classroom.platform.scores()) == 5
    logged = events(classroom.run("log", LAYERS, "--json").stdout)
    assert {(each["student"], each["outcome"], tuple(each["there"])) for each in logged} == {
        (f"s{n:04}", "accepted", (12.0, 15.0)) for n in range(5)
    }


def test_json_tells_plan_progress_and_delivery(classroom: Classroom) -> None:
    classroom.grade_all()
    found = events(classroom.run("push", LAYERS, "--yes", "--json").stdout)
    assert [each["fate"] for each in named(found, "planned")] == ["new"] * 5
    assert named(found, "sent")[-1] == {"event": "sent", "done": 5, "total": 5}
    assert {each["verdict"] for each in named(found, "delivered")} == {"confirmed"}


def test_without_a_terminal_somebody_has_to_say_yes(classroom: Classroom) -> None:
    classroom.grade_all()
    for arguments in (["push", LAYERS], ["push", LAYERS, "--json"]):
        asked = classroom.run(*arguments)
        assert asked.exit_code == 1
        assert "--yes" in asked.stderr
    assert not classroom.platform.scores()


def test_one_student_alone(classroom: Classroom) -> None:
    classroom.grade_all()
    assert classroom.run("push", LAYERS, "--yes", "--student", "s0002").exit_code == 0
    assert classroom.shown() == {"1002": 12.0}
    unknown = classroom.run("push", LAYERS, "--yes", "--student", "nobody")
    assert unknown.exit_code == 1
    assert "nobody in the course is called" in unknown.stderr


@pytest.mark.parametrize("name", ["layer", "[red]x", "../layers"])
def test_an_unknown_assignment_is_named(classroom: Classroom, name: str) -> None:
    ended = classroom.run("push", name, "--yes")
    assert ended.exit_code == 1
    assert f"no assignment {name!r}" in ended.stderr.replace("\n", " ")


def test_a_silent_refusal_is_an_exit_code_and_a_line(classroom: Classroom) -> None:
    classroom.platform.columns.append(Column(1, "Layers", 15, LAYERS, activity=True))
    classroom.grade_all()
    assert classroom.run("push", LAYERS, "--yes").exit_code == 0
    classroom.platform.column(LAYERS).override("1001", 12)
    classroom.grade("s0001", result(Verdict.OK, Verdict.WRONG, Verdict.OK), minutes=5)
    ended = classroom.run("push", LAYERS, "--yes")
    assert ended.exit_code == 1
    assert "s0001: 10 silently refused (200), it shows 12/15" in ended.stderr


def test_a_platform_that_is_down_is_the_platforms_fault(classroom: Classroom) -> None:
    classroom.grade_all()
    classroom.platform.breaks(lambda count, method, path: Fault(Kind.ANSWER, 403))
    ended = classroom.run("push", LAYERS, "--yes")
    assert ended.exit_code == 2
    assert "Forbidden" in ended.stderr


def test_who_is_excused_and_who_is_known_by_an_imported_id(classroom: Classroom) -> None:
    classroom.grade_all()
    people = classroom.platform.people
    people[3] = replace(people[3], user_id="new", sis_id="0042")  # never launched under this id
    with classroom.exchange() as exchange:
        excuse(exchange, "s0000", LAYERS, by="ines")
        keep_keys(exchange.database, [StudentKeys("s0002", sis_id="0042")])
    assert classroom.run("push", LAYERS, "--yes").exit_code == 0
    assert set(classroom.shown()) == {"1001", "new", "1003", "1004"}


def test_roster_and_launches(classroom: Classroom) -> None:
    found = events(classroom.run("roster", "--json").stdout)
    assert found[0] == {"student": "s0000", "user_id": "1000", "note": ""}
    assert "5 of 5 students" in classroom.run("roster").stderr
    (launch,) = events(classroom.run("launches", "--json").stdout)
    assert launch["lineitems"] == classroom.platform.lineitems


def test_addresses_by_hand(classroom: Classroom) -> None:
    expected = classroom.grade_all()
    assert classroom.run("forget", CONTEXT).exit_code == 0
    assert "no launch" in classroom.run("push", LAYERS, "--yes").stderr
    platform = classroom.platform
    given = [
        *("--issuer", platform.url, "--client-id", CLIENT, "--token-url", platform.token_url),
        *("--lineitems", platform.lineitems, "--memberships", platform.memberships, "--context", "mls"),
    ]
    for option, wrong in (
        ("--lineitems", "https://else.test/lineitems"),
        ("--token-url", "http://lms.test/token"),
        ("--memberships", "file:///etc/passwd"),
    ):
        bad = [*given]
        bad[bad.index(option) + 1] = wrong
        refused = classroom.run("register", *bad)
        assert refused.exit_code == 1, option
    assert classroom.run("register", *given).exit_code == 0
    assert classroom.run("push", LAYERS, "--yes").exit_code == 0
    assert classroom.shown() == expected


def test_keys_are_shown_and_changed(classroom: Classroom) -> None:
    (first,) = events(classroom.run("keys", "--json").stdout)[0]["keys"]
    assert set(first) == {"e", "kty", "n", "kid", "alg", "use"}
    assert classroom.run("keys", "--rotate").exit_code == 1
    assert classroom.run("keys", "--prepare").stdout.splitlines()[0] == f"{first['kid']}  signs"
    rotated = classroom.run("keys", "--rotate").stdout.split()
    assert rotated[:2] == [first["kid"], "before"]
    assert rotated[3] == "signs"
    assert "BEGIN PUBLIC KEY" in classroom.run("keys", "--pem").stdout


@pytest.mark.parametrize("kind", [Kind.BEFORE, Kind.AFTER])
@pytest.mark.parametrize("number", [1, 3, 5, 7, 9])
def test_a_push_that_is_killed_anywhere_and_run_again_is_right(
    classroom: Classroom, kind: Kind, number: int
) -> None:
    """SIGKILL while a request is on its way, which then takes effect or not."""
    expected = classroom.grade_all()
    running: list[subprocess.Popen[str]] = []

    def kill(count: int, method: str, path: str) -> Fault | None:
        if count != number:
            return None
        os.kill(running[0].pid, signal.SIGKILL)
        return Fault(kind)

    classroom.platform.breaks(kill)
    running.append(classroom.start("push", LAYERS, "--yes"))
    running[0].communicate(timeout=120)
    assert running[0].returncode == -signal.SIGKILL
    classroom.platform.breaks(None)
    again = classroom.run("push", LAYERS, "--yes")
    assert again.exit_code == 0, again.stderr
    assert classroom.shown() == expected
    column = classroom.platform.column(LAYERS)
    assert [kept.writes for kept in column.kept.values()] == [1] * 5
    assert len(classroom.platform.columns) == 1


def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(classroom: Classroom) -> None:
    expected = classroom.grade_all()
    running: list[subprocess.Popen[str]] = []

    def interrupt(count: int, method: str, path: str) -> Fault | None:
        if path.endswith("/scores") and running:
            running.pop().send_signal(signal.SIGINT)
            return Fault(Kind.BEFORE)  # it would be tried again, were it not for that
        return None

    classroom.platform.breaks(interrupt)
    command = classroom.start("push", LAYERS, "--yes")
    running.append(command)
    _, said = command.communicate(timeout=120)
    assert command.returncode == 130, said
    assert "stopped; run the same command again" in said
    assert "Traceback" not in said
    classroom.platform.breaks(None)
    assert classroom.run("push", LAYERS, "--yes").exit_code == 0
    assert classroom.shown() == expected
    assert all(kept.writes == 1 for kept in classroom.platform.column(LAYERS).kept.values())


def test_a_course_directory_that_is_not_there(tmp_path: Path) -> None:
    for command in (["keys"], ["launches"], ["push", "07-autograd"]):
        ended = CliRunner().invoke(app, [*command, "--course-dir", str(tmp_path / "none")])
        assert ended.exit_code == 2
        assert "name another --course-dir" in " ".join(ended.stderr.split())
