"""What people meet when something is wrong: words that say what, where and what to do; exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.app import app
from tests.hub.command import ROOT, mlsys


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("autograde", "07-autograt"), 1, "did you mean '07-autograd'"),
        (("verify", "nothing-like-it"), 1, "no assignment 'nothing-like-it'"),
        (("build", "--course", "missing.toml"), 1, "missing.toml"),
        (("export", "--course-dir", "missing"), 2, "run `mlsys release` first"),
        (("feedback", "--course-dir", "missing"), 2, "run `mlsys release` first"),
        (("submit", "07-autograd", "missing.ipynb", "--student", "ama"), 1, "no such file"),
        (("submit", "07-autograd", "README.md"), 2, "--student"),
        (("grade",), 2, "No such command"),
        (("autogrde",), 2, "Did you mean 'autograde'"),
        (("verify", "--repeats", "0"), 2, "repeats"),
    ],
)
def test_wrong_input_gets_words_and_a_code(
    arguments: tuple[str, ...], code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.stderr
    assert words in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_verb_loads_no_others_libraries() -> None:
    look = "import sys; from hub.cli.app import load; load('doctor'); print({'pandas', 'nbgrader'} & set(sys.modules))"
    seen = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=ROOT)
    assert seen.stdout.strip() == "set()"


def test_a_course_directory_that_is_not_a_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    process = mlsys("demo", "--course-dir", tmp_path)
    assert process.returncode == 2
    assert (tmp_path / "thesis.txt").read_text() == "three years"
