"""Releasing runs stock nbgrader, in processes of its own; these tests take seconds each."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder.judge import AuthorError, PlatformError
from course.build import CONFIG_MARK
from course.compose import compose_release
from course.leaks import scan, secrets_of
from course.notebook import parse_notebook
from course.release import release
from course.tree import STATE, read_tree
from tests.course.notebooks import instructors_notebook
from tests.course.sample import SCRIPT, TOML, Sample
from tests.stock import stock_nbgrader

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course directory with one release, made once; tests work on copies."""
    root = tmp_path_factory.mktemp("first")
    sample = Sample(root / "sample")
    sample.write("assignments/01-relu/points.csv", "1,2\n")
    assert [each.changed for each in release(sample.course, root / "course_dir")] == [True]
    return root / "course_dir"


@pytest.fixture
def released(first: Path, sample: Sample, tmp_path: Path) -> Path:
    """A copy of the course directory, beside the sample that it was made of."""
    sample.write("assignments/01-relu/points.csv", "1,2\n")
    return shutil.copytree(first, tmp_path / "course_dir")


def public_parts(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells without what only nbgrader's ComputeChecksums writes."""
    for cell in notebook.cells:
        for key in ("checksum", "cell_type"):
            cell.metadata.get("nbgrader", {}).pop(key, None)
    return list(notebook.cells)


def read(file: Path) -> list[NotebookNode]:
    return public_parts(parse_notebook(file.read_text()))


def in_gradebook(course_dir: Path) -> set[str]:
    with closing(sqlite3.connect(course_dir / "gradebook.db")) as gradebook:
        return {name for (name,) in gradebook.execute("SELECT name FROM source_cell")}


def nbgrader(course_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return stock_nbgrader(course_dir, *arguments, warn=False)


def test_a_release_is_what_students_may_have(sample: Sample, released: Path) -> None:
    folder = released / "release/01-relu"
    assert sorted(path.name for path in folder.iterdir()) == ["points.csv", "relu.ipynb"]
    assert read(folder / "relu.ipynb") == public_parts(compose_release(sample.assignment))
    assert in_gradebook(released) == {
        "given-1", "relu", "check-relu", "check-relu-shape", "unit", "check-unit",
    }  # fmt: skip
    assert sorted(path.name for path in (released / STATE).iterdir()) == ["lock", "released.json"]


def test_the_same_content_again_runs_nothing(
    sample: Sample, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_tree(released)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert [each.changed for each in release(sample.course, released)] == [False]
    assert read_tree(released) == before


def test_new_content_is_released_again(sample: Sample, released: Path) -> None:
    sample.edit(SCRIPT, "A rectifier keeps", "It keeps")
    folder = release(sample.course, released)[0].folder
    assert "It keeps" in (folder / "relu.ipynb").read_text()


def test_an_assignment_that_the_gradebook_lost_is_released_again(sample: Sample, released: Path) -> None:
    with closing(sqlite3.connect(released / "gradebook.db")) as gradebook:
        gradebook.execute("UPDATE assignment SET name = 'other'")
        gradebook.commit()
    (released / "release/01-relu/relu.ipynb").unlink()
    assert [each.changed for each in release(sample.course, released)] == [True]
    assert (released / "release/01-relu/relu.ipynb").is_file()


CARELESS = {
    "hidden tests stay": "c.ClearHiddenTests.begin_test_delimeter = 'BEGIN SECRET TESTS'",
    "a header tells": "c.IncludeHeaderFooter.header = str(ROOT / 'header.ipynb')",
}
HEADER = {
    "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["Try `mask = np.asarray(x) > 0`."]}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 4,
}


@pytest.mark.parametrize("how", CARELESS)
def test_a_leak_that_nbgrader_makes_is_refused(sample: Sample, released: Path, how: str) -> None:
    config = released / "nbgrader_config.py"
    config.write_text(config.read_text().replace(CONFIG_MARK, "# Ours.") + CARELESS[how] + "\n")
    (released / "header.ipynb").write_text(json.dumps(HEADER))
    before = read_tree(released)
    with pytest.raises(AuthorError, match="may not see"):
        release(sample.course, released)
    assert read_tree(released) == before


def test_a_new_gradebook_is_of_nbgraders_own_schema(released: Path, tmp_path: Path) -> None:
    """Its tables and their version are those that nbgrader makes itself."""
    run = [
        sys.executable,
        "-c",
        f"from nbgrader.api import Gradebook; Gradebook('sqlite:///{tmp_path}/stock.db')",
    ]
    search = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    subprocess.run(run, check=True, env={**os.environ, "PATH": search})  # it starts alembic by name
    ours, stock = (schema(file) for file in (released / "gradebook.db", tmp_path / "stock.db"))
    assert ours == stock


def schema(file: Path) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The columns of all tables, and the version's row."""
    columns = """
        SELECT m.name, c.name, c.type, c."notnull" FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' ORDER BY m.name, c.cid
    """
    with closing(sqlite3.connect(file)) as gradebook:
        return gradebook.execute(columns).fetchall(), gradebook.execute(
            "SELECT version_num FROM alembic_version"
        ).fetchall()


def test_stock_nbgrader_takes_our_source_with_its_own_config(sample: Sample, released: Path) -> None:
    (released / "nbgrader_config.py").unlink()
    done = nbgrader(released, "generate_assignment", "01-relu", "--force")
    assert done.returncode == 0, done.stderr
    files = read_tree(released / "release/01-relu")
    assert scan(files, secrets_of(sample.assignment)) == ()
    assert b"# YOUR CODE HERE" in files["relu.ipynb"]


def test_stock_nbgrader_takes_our_source_with_our_config(sample: Sample, released: Path) -> None:
    done = nbgrader(released, "generate_assignment", "01-relu", "--force")
    assert done.returncode == 0, done.stderr
    notebook = read(released / "release/01-relu/relu.ipynb")
    assert notebook == public_parts(compose_release(sample.assignment))


def test_an_existing_notebook_gets_nbgraders_stubs(sample: Sample, released: Path) -> None:
    for path in (sample.root / "solutions/01-relu").rglob("*.py"):
        path.unlink()
    for name in (SCRIPT, TOML):
        (sample.root / name).unlink()
    sample.write("solutions/01-relu/squares.ipynb", instructors_notebook())
    folder = release(sample.course, released)[0].folder
    cells = read(folder / "squares.ipynb")
    assert cells == public_parts(compose_release(sample.assignment))
    assert "    # YOUR CODE HERE" in cells[1].source


ADD_SUBMISSION = """
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as gradebook:
    gradebook.add_student("ada")
    gradebook.add_submission("01-relu", "ada")
"""


def test_cells_stay_once_students_have_submitted(sample: Sample, released: Path) -> None:
    before = read_tree(released / "release")
    subprocess.run([sys.executable, "-W", "ignore", "-c", ADD_SUBMISSION], cwd=released, check=True)
    sample.edit(SCRIPT, "import numpy as np\n", "import numpy as np\n\n# %%\nLIMIT = 3\n")
    with pytest.raises(AuthorError, match="students have submitted already"):
        release(sample.course, released)
    assert read_tree(released / "release") == before


def test_a_broken_config_is_no_authors_error(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("1 / 0\n")
    with pytest.raises(PlatformError, match="ZeroDivisionError"):
        release(sample.course, tmp_path)
