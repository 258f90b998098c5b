"""The README's commands run, and every command of mlsys is in it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.app import VERBS, app
from tests.hub.command import ROOT, mlsys

README = (ROOT / "README.md").read_text(encoding="utf-8")


def console_commands(section: str = "") -> list[str]:
    """The commands of the console blocks, of one section or of all, without their comments."""
    text = next(part for part in README.split("\n## ") if part.startswith(section)) if section else README
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [re.split(r"\s+#", line)[0].strip() for line in lines]


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    used = {shlex.split(line)[1] for line in console_commands() if line.startswith("mlsys ")}
    assert used | {"demo"} == set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


@pytest.mark.slow
def test_the_tour_runs_in_the_order_it_is_written(tmp_path: Path) -> None:
    tour = [line for line in console_commands("A tour") if line.startswith("mlsys ")]
    assert len(tour) >= 8
    for line in tour:
        arguments = [part.replace("run/course", str(tmp_path)) for part in shlex.split(line)[1:]]
        process = mlsys(*arguments, MLSYS_COURSE_DIR=str(tmp_path))
        assert process.returncode == 0, f"{line}\n{process.stdout}\n{process.stderr}"


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = {line.split()[1] for line in console_commands() if line.startswith("make ")} | {"bench"}
    assert wanted <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_no_placeholder_is_left() -> None:
    assert "@@" not in README
