"""The instructor's commands of the exchange, and the receipt that anyone can check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from course.reader import read_course
from hub.cli import exchange as commands
from hub.cli.app import app
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role
from hub.exchange.returning import Feedback
from tests.hub.exchange.course import notebook
from tests.hub.exchange.serving import COURSE

OPEN, OVER = "01-layers", "02-kernels"


@pytest.fixture
def course_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course directory with a release of one assignment, which the commands' environment names."""
    (tmp_path / "course.toml").write_text(COURSE)
    folder = tmp_path / "course"
    (folder / "release" / OPEN).mkdir(parents=True)
    (folder / "release" / OPEN / "layers.ipynb").write_bytes(notebook("# your answer"))
    monkeypatch.setenv("MLSYS_COURSE", str(tmp_path / "course.toml"))
    monkeypatch.setenv("MLSYS_COURSE_DIR", str(folder))
    for name in ("MLSYS_EXCHANGE_DB", "MLSYS_EXCHANGE_STORAGE", "MLSYS_COURSE_URL", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def exchange(course_dir: Path) -> Iterator[Exchange]:
    with Exchange(read_course(course_dir.parent / "course.toml"), course_dir) as opened:
        opened.enrol([Member("ada", full_name="Ada L."), Member("alan", Role.INSTRUCTOR)])
        yield opened


def mlsys(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def test_what_was_made_is_handed_out_and_withdrawn(exchange: Exchange) -> None:
    assert f"out        {OPEN}, 1 files" in mlsys("hand-out").stderr
    assert [each.assignment for each in exchange.releases()] == [OPEN]
    mlsys("hand-out", OPEN, "--withdraw")
    assert exchange.releases() == ()
    assert "mlsys release 02-kernels" in mlsys("hand-out", OVER, code=1).stderr


def test_submissions_are_collected_once(exchange: Exchange, course_dir: Path) -> None:
    exchange.release(OPEN)
    exchange.submit("ada", OPEN, {"layers.ipynb": notebook("1")})
    result = mlsys("collect", OPEN, "--json")
    assert json.loads(result.stdout)["student"] == "ada"
    assert (course_dir / "submitted" / "ada" / OPEN / "layers.ipynb").is_file()
    assert "collected    0 new" in mlsys("collect", OPEN).stderr


def test_an_extension_is_given_listed_and_ended(exchange: Exchange) -> None:
    mlsys("extend", OVER, "ada", "2098-03-01T18:00", "--reason", "ill")
    assert exchange.due("ada", OVER) == datetime(2098, 3, 1, 18, tzinfo=UTC)
    assert json.loads(mlsys("extend", "--json").stdout)["reason"] == "ill"
    assert "2098-03-01 18:00 UTC" in mlsys("extend").stdout
    mlsys("extend", OVER, "ada", "--end")
    assert exchange.extensions() == ()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((OVER, "ada", "tomorrow"), "is no time"),
        ((OVER, "ada"), "say until when"),
        ((OVER, "ada", "2019-01-01T00:00"), "not after the due date"),
        ((OVER, "adda", "2098-01-01T00:00"), "nobody on the roster"),
        (("02-kernel", "ada", "2098-01-01T00:00"), "did you mean '02-kernels'"),
    ],
)
def test_an_extension_that_makes_no_sense_is_refused(
    exchange: Exchange, arguments: tuple[str, ...], words: str
) -> None:
    assert words in " ".join(mlsys("extend", *arguments, code=1).stderr.split())
    assert exchange.extensions() == ()


def test_the_roster_is_listed(exchange: Exchange) -> None:
    people = [json.loads(line) for line in mlsys("roster", "--json").stdout.splitlines()]
    assert [(each["name"], each["role"]) for each in people] == [("ada", "student"), ("alan", "instructor")]
    assert "Ada L." in mlsys("roster").stdout


def test_a_receipt_is_verified_with_and_without_its_files(exchange: Exchange, tmp_path: Path) -> None:
    exchange.release(OPEN)
    text = exchange.receipt(exchange.submit("ada", OPEN, {"layers.ipynb": notebook("1")})).text()
    receipt, work = tmp_path / "receipt.json", tmp_path / "layers.ipynb"
    receipt.write_text(text)
    work.write_bytes(notebook("1"))
    assert "true: ada 01-layers submission 1" in mlsys("receipt", str(receipt), str(work)).stdout
    assert "not compared" in mlsys("receipt", str(receipt)).stderr
    mlsys("receipt", str(receipt), "--key", exchange.public_key)

    work.write_bytes(notebook("2"))
    assert "its bytes differ" in mlsys("receipt", str(receipt), str(work), code=1).stderr
    receipt.write_text(text.replace('"student": "ada"', '"student": "eve"'))
    assert "has not signed" in " ".join(mlsys("receipt", str(receipt), code=1).stderr.split())
    receipt.write_text("[]")
    assert "no receipt" in mlsys("receipt", str(receipt), code=1).stderr


def test_only_final_feedback_is_returned(
    exchange: Exchange, course_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which grade is final the gradebook's own tests say; here it is given."""
    found = [Feedback(name, OPEN, "0" * 64, 1, {"layers.html": b"9"}) for name in ("ada", "bob")]
    monkeypatch.setattr(commands, "written", lambda *given: iter(found))
    monkeypatch.setattr(commands, "final_ones", lambda course_dir, found: found[:1])
    assert "returned    1 of 01-layers, 1 are not final" in mlsys("return", OPEN).stderr
    assert [each.student for each in exchange.returned()] == ["ada"]
    mlsys("return", OPEN, "--all")
    assert {each.student for each in exchange.returned()} == {"ada", "bob"}


def test_without_a_course_directory_there_is_a_word(tmp_path: Path, course_dir: Path) -> None:
    missing = str(tmp_path / "none")
    words = mlsys("roster", "--course-dir", missing, code=2).stderr
    assert "doesn't exist; run `mlsys release` first" in " ".join(words.split())
