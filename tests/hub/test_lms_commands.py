"""Grades leave for an LMS and its roster comes in, as a person at a terminal does it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from autograder.gradebook import Gradebook
from autograder.gradebook.gradetable import StudentKeys
from autograder.judge import Verdict
from course.gradebook import gradebook_url
from course.reader import read_course
from hub.cli.app import app
from hub.exchange.exchange import Exchange
from hub.exchange.people import keep_keys, student_keys
from hub.exchange.records import Member, Role
from tests.autograder.conftest import nbgrader, released_course  # noqa: F401 -- a fixture
from tests.autograder.gradebook.gradings import grading, result
from tests.autograder.gradebook.lms import downloads
from tests.autograder.gradebook.test_export import without_essay
from tests.hub.exchange.serving import COURSE

OK, WRONG = Verdict.OK, Verdict.WRONG
LAYERS = "layers"
KEYS = {
    name: StudentKeys(name, f"00{n}", name, f"{name}@uni.example", f"{700 + n}", f"Last, {name}")
    for n, name in enumerate(("ada", "bea", "cy", "dan", "eve"))
}


@pytest.fixture
def course_dir(released_course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """Five students and a teacher: ada and bea are graded, cy waits, dan is a fault, eve sent nothing."""
    folder = shutil.copytree(released_course, tmp_path / "course")
    text = COURSE.replace("01-layers", LAYERS).replace(
        "due = 2099-01-01T18:00:00", "due = 2020-03-01T18:00:00", 1
    )
    (tmp_path / "course.toml").write_text(text)
    monkeypatch.setenv("MLSYS_COURSE", str(tmp_path / "course.toml"))
    monkeypatch.setenv("MLSYS_COURSE_DIR", str(folder))
    monkeypatch.chdir(tmp_path)
    for name in ("MLSYS_EXCHANGE_DB", "MLSYS_EXCHANGE_STORAGE", "MLSYS_COURSE_URL", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with Gradebook(gradebook_url(folder), folder) as book:
        for name, verdict in (("ada", OK), ("bea", WRONG), ("alan", OK)):
            judged = result(verdict, OK, OK)
            book.record_attempt(grading(judged, submitted=without_essay(), student=name))  # type: ignore[arg-type]
        book.record_attempt(grading(result(), student="cy"))
        book.record_attempt(grading(None, fault="no box started", student="dan"))
    return folder


@pytest.fixture
def exchange(course_dir: Path) -> Iterator[Exchange]:
    with Exchange(read_course(course_dir.parent / "course.toml"), course_dir) as opened:
        opened.enrol([*(Member(name) for name in KEYS), Member("alan", Role.INSTRUCTOR)])
        yield opened


@pytest.fixture
def known(exchange: Exchange) -> Exchange:
    keep_keys(exchange.database, KEYS.values())
    return exchange


def mlsys(*arguments: str | Path, code: int = 0, answer: str | None = None) -> Result:
    found = CliRunner().invoke(app, [*map(str, arguments)], input=answer)
    assert found.exit_code == code, found.output
    return found


def records(found: Result, event: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    return [each for each in lines if each["event"] == event]


def canvas(folder: Path, held: dict[str, str] | None = None) -> Path:
    """A download of Canvas' in which the column is called as the assignment is."""
    file = folder / "canvas.csv"
    text = downloads.canvas([*KEYS.values()], held).replace("Autograd (77)", f"{LAYERS} (77)")
    file.write_bytes(text.replace("10,100,", "10,15,").encode())
    return file


def test_a_roster_is_imported_and_its_download_filled_in(exchange: Exchange, tmp_path: Path) -> None:
    file = canvas(tmp_path, {"bea": "3"})
    found = mlsys("roster", "import", file, "--yes")
    assert "5 people of it are here, 5 of them with ids that are new" in " ".join(found.stderr.split())
    assert "line 9: f00ba4, 999999" in found.stderr
    assert "bea: Last, bea (001, bea, 701)" in found.stderr
    assert student_keys(exchange)["bea"] == replace(KEYS["bea"], email="")
    found = mlsys("export", "--to", "canvas", "--template", file, "--yes")
    assert "layers bea 3 → 8" in found.stderr
    written = tmp_path / "course" / "exports" / "canvas.csv"
    before, after = file.read_text(), written.read_text()
    assert after == before.replace("3.5,,35.0", "3.5,12,35.0", 1).replace("3.5,3,35.0", "3.5,8,35.0")
    again = mlsys("roster", "import", file)
    assert "nothing was changed" in again.stderr


def test_a_dry_run_writes_nothing_and_tells_all(known: Exchange, tmp_path: Path) -> None:
    found = mlsys("export", "--to", "canvas", "--template", canvas(tmp_path), "--dry-run", "--json")
    assert {each["student"]: each["outcome"] for each in records(found, "grade")} == {
        "ada": "would write",
        "bea": "would write",
        "cy": "pending",
        "dan": "fault",
        "eve": "missing",
    }
    assert records(found, "stranger") == [{"event": "stranger", "line": 9, "who": "999999, f00ba4"}]
    (done,) = records(found, "done")
    assert (done["dry_run"], done["written"]) == (True, [])
    assert not (tmp_path / "course" / "exports").exists()


def test_nothing_is_written_unless_somebody_agrees(known: Exchange, tmp_path: Path) -> None:
    file, folder = canvas(tmp_path), tmp_path / "course" / "exports"
    for answer in ("n\n", ""):
        found = mlsys("export", "--to", "canvas", "--template", file, code=1, answer=answer)
        assert "nothing was written" in found.stderr
    assert not folder.exists()
    mlsys("export", "--to", "canvas", "--template", file, answer="y\n")
    assert [each.name for each in folder.iterdir()] == ["canvas.csv"]
    assert (folder / "canvas.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--template", "cut.csv"), "cut.csv:5: 5 cells where the first row has 10"),
        (("--template", "gone.csv"), "gone.csv: No such file"),
        (("--template", "canvas.csv", "--column", f"{LAYERS}=Nothing"), "no column 'Nothing' for layers"),
        (("--template", "canvas.csv", "--column", "02-kernel=X"), "02-kernels"),
        (("--template", "canvas.csv", "--column", LAYERS), "--column NAME=VALUE"),
        (
            ("--template", "canvas.csv", "--output", "canvas.csv"),
            "is what you downloaded and is kept as it is",
        ),
        (("--template", "canvas.csv", "--with-feedback"), "no column for feedback"),
        (("02-kernels",), "mlsys release 02-kernels"),
        (("99-none",), "no assignment '99-none'"),
    ],
)
def test_bad_input_is_told_and_nothing_written(
    known: Exchange, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    text = canvas(tmp_path).read_text()
    (tmp_path / "cut.csv").write_text(text[: text.index(",A and B", text.index("bea"))])
    (tmp_path / "latin.csv").write_bytes(text.replace("Last, ada", "Zoë, ada").encode("cp1252"))
    before = (tmp_path / "canvas.csv").read_bytes()
    found = mlsys("export", "--to", "canvas", *options, "--yes", code=1)
    assert words in " ".join(found.stderr.split())
    assert not (tmp_path / "course" / "exports").exists()
    assert (tmp_path / "canvas.csv").read_bytes() == before


def test_an_encoding_that_is_named_is_kept(known: Exchange, tmp_path: Path) -> None:
    text = canvas(tmp_path).read_text().replace("Last, ada", "Zoë, ada")
    Path("latin.csv").write_bytes(text.encode("cp1252"))
    options = ("--encoding", "windows-1252", "--yes", "--output", "out.csv")
    mlsys("export", "--to", "canvas", "--template", "latin.csv", *options)
    written = Path("out.csv").read_bytes().decode("cp1252")
    assert written == text.replace("3.5,,35.0", "3.5,12,35.0", 1).replace("3.5,,35.0", "3.5,8,35.0", 1)


def test_what_a_file_says_moves_no_cursor(known: Exchange, tmp_path: Path) -> None:
    file = canvas(tmp_path, {"bea": "\x1b[2J[red]3"})
    file.write_text(file.read_text().replace("f00ba4", "f00\x1b]0;x\x07\u202e"))
    found = mlsys("export", "--to", "canvas", "--template", file, "--dry-run")
    assert "[red]3 → 8" in found.stderr
    assert not {"\x1b", "\x07", "\u202e"} & set(found.stderr)


def test_several_files_want_a_folder(known: Exchange, course_dir: Path) -> None:
    shutil.copytree(course_dir / "source" / LAYERS, course_dir / "source" / "02-kernels")
    nbgrader(course_dir, "generate_assignment", "02-kernels")
    columns = ("--column", "02-kernels=Kernels")
    options = ("export", "--to", "sakai", "--missing-as-zero", *columns, "--yes", "--output")
    assert "is one file, but there would be 2" in mlsys(*options, "one.csv", code=1).stderr
    assert not Path("one.csv").exists()
    mlsys(*options, "both")
    assert sorted(each.name for each in Path("both").iterdir()) == [
        "mls-02-kernels-sakai.csv",
        "mls-layers-sakai.csv",
    ]
    assert "Kernels [15]" in Path("both/mls-02-kernels-sakai.csv").read_text()


def test_a_grade_over_the_maximum_stops_all_of_it(known: Exchange, tmp_path: Path) -> None:
    file = canvas(tmp_path)
    file.write_text(file.read_text().replace("10,15,", "10,10,"))
    assert "--scale" in mlsys("export", "--to", "canvas", "--template", file, "--yes", code=1).stderr
    mlsys("export", "--to", "canvas", "--template", file, "--yes", "--scale", "--output", "scaled.csv")
    assert "3.5,8,35.0" in Path("scaled.csv").read_text()


def test_zeros_are_for_who_has_no_time_left(known: Exchange, tmp_path: Path) -> None:
    known.enrol([Member("fay")])
    known.extend("fay", LAYERS, datetime(2098, 1, 1, tzinfo=UTC), by="alan")
    mlsys("export", "--to", "csv", "--missing-as-zero", "--yes", "--output", "out.csv")
    rows = list(csv.DictReader(Path("out.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {row["name"]: row["score"] for row in rows} == {"ada": "12", "bea": "8", "eve": "0"}


def test_an_excused_student_is_ex_in_canvas_and_left_out_elsewhere(known: Exchange, tmp_path: Path) -> None:
    mlsys("excuse", LAYERS, "ada", "--reason", "ill")
    assert json.loads(mlsys("excuse", "--json").stdout)["reason"] == "ill"
    assert "ada" in mlsys("excuse").stdout
    mlsys("export", "--to", "canvas", "--template", canvas(tmp_path), "--yes", "--output", "ex.csv")
    assert "3.5,EX,35.0" in Path("ex.csv").read_text()
    columns = ("--column", f"{LAYERS}=Layers [Total Pts: 15] |9")
    found = mlsys("export", "--to", "blackboard", *columns, "--yes", "--output", "bb.xls", "--json")
    assert {each["student"]: each["outcome"] for each in records(found, "grade")}["ada"] == "excused"
    assert "ada" not in Path("bb.xls").read_bytes().decode("utf-16")
    mlsys("excuse", LAYERS, "ada", "--end")
    assert mlsys("excuse", "--json").stdout == ""
    assert "see `mlsys roster`" in mlsys("excuse", LAYERS, "nobody", code=1).stderr
    assert "say whom" in mlsys("excuse", LAYERS, code=1).stderr


def test_fresh_files_have_feedback_where_it_is_taken(known: Exchange, tmp_path: Path) -> None:
    mlsys("export", LAYERS, "--to", "excel", "--with-feedback", "--yes", "--output", "all.xlsx")
    sheet = openpyxl.load_workbook("all.xlsx").active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    said = {row[0]: row[rows[0].index("feedback")] for row in rows}
    assert (
        said["bea"]
        == "Attempt 1 counts.\nrelu: 2 of 6 points. Words about check-relu.\nlayer: 6 of 6 points.\nwhy: 0 of 3 points."
    )
    found = mlsys("export", "--to", "moodle", "--with-feedback", "--yes")
    assert "Make the grade item there first" in found.stderr
    (file,) = (tmp_path / "course" / "exports").iterdir()
    assert file.name == "mls-layers-moodle.csv"


def test_students_without_ids_are_unmatched_and_nothing_is_guessed(exchange: Exchange) -> None:
    found = mlsys("export", "--to", "brightspace", "--yes", code=1)
    assert "layers ada (no SIS id is known)" in " ".join(found.stderr.split())
    assert "no grade would be written or changed" in found.stderr


def test_options_of_a_file_want_its_system(known: Exchange) -> None:
    assert "say for which system" in mlsys("export", "--missing-as-zero", code=2).stderr
    assert "say for which system" in mlsys("export", LAYERS, code=2).stderr
    mlsys("export", "--to", "edx", code=2)


def test_without_a_system_the_tables_are_written_as_ever(known: Exchange, tmp_path: Path) -> None:
    mlsys("export")
    names = sorted(each.name for each in (tmp_path / "course" / "exports").iterdir())
    assert names == ["mls-grades.csv", "mls-questions.csv", "mls-wide-table.csv"]


def test_the_roster_is_listed_with_ids(known: Exchange) -> None:
    assert "00" in mlsys("roster").stdout
    ada = json.loads(mlsys("roster", "--json").stdout.splitlines()[0])
    assert (ada["name"], ada["role"], ada["sis_id"], ada["lms_id"]) == ("ada", "student", "000", "700")
    assert "write it after import" in mlsys("roster", "--json", "import", "x.csv", code=2).stderr


def test_a_roster_that_confuses_people_changes_nothing(known: Exchange, tmp_path: Path) -> None:
    before = student_keys(known)
    Path("none.csv").write_text("name,login\nzoe,zoe\n")
    assert "who is who can be said in a CSV file" in mlsys("roster", "import", "none.csv").stderr
    Path("two.csv").write_text("name,email\nada,bea@uni.example\n")
    assert "both have the e-mail address" in mlsys("roster", "import", "two.csv", "--yes", code=1).stderr
    Path("new.csv").write_text("name,login\nada,ada.l\nzoe,zoe\n")
    for options in (("--dry-run",), ("--dry-run", "--json")):
        mlsys("roster", "import", "new.csv", *options)
    mlsys("roster", "import", "new.csv", code=1, answer="n\n")
    assert student_keys(known) == before
    found = mlsys("roster", "import", "new.csv", "--yes", "--json")
    assert [(each["name"], each["login"]) for each in records(found, "person")] == [("ada", "ada.l")]
    assert records(found, "stranger") == [{"event": "stranger", "line": 3, "who": "zoe"}]
    assert [each["name"] for each in records(found, "absent")] == ["bea", "cy", "dan", "eve"]
    assert student_keys(known)["ada"] == replace(KEYS["ada"], login="ada.l")
