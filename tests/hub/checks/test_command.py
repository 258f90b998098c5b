"""`mlsys check`, here and through the course service: words, JSON and exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from typer.testing import CliRunner, Result

from hub.checks.checker import released_files
from hub.checks.line import Terms
from hub.checks.routes import Checks, check_routes
from hub.cli.app import app
from hub.exchange.refusals import Closed
from tests.course.sample import COURSE
from tests.hub.checks.conftest import FakeIdentity, Released
from tests.hub.checks.serving import serving
from tests.hub.checks.test_checker import ABS

HOSTILE = "def relu(x):\n    raise ValueError('[bold]x[/bold] [/nothing]')"


@pytest.fixture
def here(released: Released) -> list[str]:
    return ["--course", str(released.sample.root / COURSE), "--course-dir", str(released.course_dir)]


def run(*words: str | Path, **environment: str) -> Result:
    unset: dict[str, str | None] = {"MLSYS_COURSE_URL": None, "JUPYTERHUB_API_TOKEN": None}
    return CliRunner().invoke(app, ["check", *map(str, words)], env={**unset, **environment})


def written(folder: Path, data: bytes) -> Path:
    file = folder / "relu.ipynb"
    file.write_bytes(data)
    return file


def told(result: Result) -> str:
    """The words for people, without the line breaks."""
    return " ".join(result.stderr.split())


def test_right_is_0_and_wrong_is_1(released: Released, here: list[str], tmp_path: Path) -> None:
    right = run(written(tmp_path, released.written()), *here)
    assert right.exit_code == 0
    assert "3 of 3 visible checks passed" in right.stdout
    wrong = run(written(tmp_path, released.written(relu=ABS)), *here)
    assert wrong.exit_code == 1
    assert "✗ relu (20 points): Not right yet" in wrong.stdout
    assert "== [0.0, 2.0]" in wrong.stdout


def test_json_is_the_report(released: Released, here: list[str], tmp_path: Path) -> None:
    result = run(written(tmp_path, released.written("1 / 0")), *here, "--json")
    assert json.loads(result.stdout)["passed"] == 3


def test_what_a_student_wrote_is_no_markup(released: Released, here: list[str], tmp_path: Path) -> None:
    result = run(written(tmp_path, released.written("1 / 0", relu=HOSTILE)), *here)
    assert result.exit_code == 1
    assert "[bold]x[/bold] [/nothing]" in result.stdout
    assert "Your cell Cell 2: Raised an error" in result.stdout


def test_a_file_that_is_no_notebook_is_1_and_a_missing_release_2(
    released: Released, here: list[str], tmp_path: Path
) -> None:
    missing = run(tmp_path / "nothing.ipynb", *here)
    assert missing.exit_code == 1 and "no such file" in told(missing)
    damaged = run(written(tmp_path, b"{"), *here, "--assignment", "01-relu")
    assert damaged.exit_code == 1 and "not valid JSON" in damaged.stdout
    notebook = written(tmp_path, released.written())
    nowhere = run(notebook, *here[:2], "--course-dir", tmp_path)
    assert nowhere.exit_code == 2 and "mlsys release" in told(nowhere)


@pytest.fixture(scope="module")
def url(released: Released) -> Iterator[str]:
    def files(member: object, assignment: str) -> dict[str, bytes]:
        if assignment != "01-relu":
            raise Closed(f"{assignment} opens on 1 February; come back then")
        return released_files(released.course_dir, assignment)

    checks = Checks(released.course, released.course_dir, FakeIdentity(), files, Terms(burst=100))
    service = Starlette(routes=[Mount("/services/course", routes=check_routes(checks))])
    with serving(service) as address:
        yield f"{address}/services/course"
    checks.close()


def test_on_the_hub_the_service_checks(released: Released, url: str, tmp_path: Path) -> None:
    hub = {"MLSYS_COURSE_URL": url, "JUPYTERHUB_API_TOKEN": "ama"}
    file = written(tmp_path, released.written(relu=ABS))
    wrong = run(file, **hub)
    assert wrong.exit_code == 1 and "2 of 3 visible checks passed" in wrong.stdout
    closed = run(file, "--assignment", "02-later", **hub)
    assert closed.exit_code == 1 and "opens on 1 February; come back then" in told(closed)
    stranger = run(file, **hub | {"JUPYTERHUB_API_TOKEN": "0"})
    assert stranger.exit_code == 2 and "no valid token" in told(stranger)


def test_a_service_that_does_not_answer_is_the_platforms(released: Released, tmp_path: Path) -> None:
    file = written(tmp_path, released.written())
    result = run(file, MLSYS_COURSE_URL="http://127.0.0.1:9", JUPYTERHUB_API_TOKEN="ama")
    assert result.exit_code == 2
    assert "can't be reached" in told(result)
