from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from autograder.judge import AuthorError
from course.build import build
from course.notebook import parse_notebook
from course.tree import STATE, read_tree
from tests.course.sample import HIDDEN, SCRIPT, Sample


@pytest.fixture
def course_dir(tmp_path: Path) -> Path:
    return tmp_path / "course_dir"


def outside_state(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in read_tree(folder).items() if not name.startswith(f"{STATE}/")}


def stamps(folder: Path) -> dict[Path, int]:
    return {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name != "lock"
    }


def test_writes_sources_and_the_files_beside_them(sample: Sample, course_dir: Path) -> None:
    sample.write("assignments/01-relu/data/points.csv", "1,2\n")
    built = build(sample.course, course_dir)
    assert [(each.assignment.id, each.changed) for each in built] == [("01-relu", True)]
    assert set(outside_state(course_dir)) == {
        "nbgrader_config.py",
        "source/01-relu/relu.ipynb",
        "source/01-relu/data/points.csv",
    }
    assert (
        parse_notebook((built[0].folder / "relu.ipynb").read_text()).metadata["mlsys"]["assignment"]
        == "01-relu"
    )


def test_the_same_content_again_writes_nothing(sample: Sample, course_dir: Path) -> None:
    build(sample.course, course_dir)
    before = stamps(course_dir)
    assert [each.changed for each in build(sample.course, course_dir)] == [False]
    assert stamps(course_dir) == before


def test_new_content_replaces_the_whole_folder(sample: Sample, course_dir: Path) -> None:
    extra = "assignments/01-relu/points.csv"
    sample.write(extra, "1,2\n")
    folder = build(sample.course, course_dir)[0].folder
    (sample.root / extra).unlink()
    sample.edit(SCRIPT, "A rectifier keeps", "It keeps")
    assert build(sample.course, course_dir)[0].changed
    assert [path.name for path in folder.iterdir()] == ["relu.ipynb"]
    assert "It keeps" in (folder / "relu.ipynb").read_text()


def test_a_source_that_was_edited_by_hand_is_made_again(sample: Sample, course_dir: Path) -> None:
    folder = build(sample.course, course_dir)[0].folder
    (folder / "relu.ipynb").write_text("{}")
    assert build(sample.course, course_dir)[0].changed
    assert "mlsys" in (folder / "relu.ipynb").read_text()


def test_nothing_is_left_in_scratch(sample: Sample, course_dir: Path) -> None:
    build(sample.course, course_dir)
    assert [path.name for path in (course_dir / STATE).iterdir()] == ["lock"]


LEAKS = {
    "in a file beside the notebook": (
        "assignments/01-relu/notes.txt",
        "hidden_input = rng.normal(size=17)\n",
    ),
    "as the solution itself": ("assignments/01-relu/answer.py", "x = 1\n    mask = np.asarray(x) > 0\n"),
    "as a marker": ("assignments/01-relu/notes.txt", "### BEGIN HIDDEN TESTS\n"),
}


@pytest.mark.parametrize("how", LEAKS)
def test_a_leak_is_refused_and_nothing_is_written(sample: Sample, course_dir: Path, how: str) -> None:
    name, text = LEAKS[how]
    sample.write(name, text)
    with pytest.raises(AuthorError, match="may not see") as caught:
        build(sample.course, course_dir)
    assert Path(name).name in str(caught.value)
    assert not course_dir.exists()


def test_an_error_leaves_what_was_built(sample: Sample, course_dir: Path) -> None:
    build(sample.course, course_dir)
    before = read_tree(course_dir)
    sample.edit(HIDDEN, 'check="unit"', 'check="units"')
    with pytest.raises(AuthorError):
        build(sample.course, course_dir)
    assert read_tree(course_dir) == before


def test_ids_choose_what_is_built(sample: Sample, course_dir: Path) -> None:
    assert build(sample.course, course_dir, ("01-relu",))[0].changed
    with pytest.raises(AuthorError, match="no assignment '02-relu'"):
        build(sample.course, course_dir, ("02-relu",))


def load(config: Path) -> Any:
    """What nbgrader_config.py sets, by plain execution."""
    from traitlets.config import Config

    settings = Config()
    runpy.run_path(str(config), {"get_config": lambda: settings})
    return settings


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_config_replaces_execution_and_nothing_else(sample: Sample, course_dir: Path) -> None:
    from nbgrader.converters import Autograde

    from autograder.nbgrader_plugin import SandboxedJudge

    build(sample.course, course_dir)
    settings = load(course_dir / "nbgrader_config.py")
    ours, stock = settings.Autograde.autograde_preprocessors, Autograde.autograde_preprocessors.default()
    assert ours[0] is SandboxedJudge
    assert (stock[0].__name__, ours[1:]) == ("Execute", stock[1:])
    assert settings.ClearSolutions.code_stub == {"python": ""}
    assert settings.CourseDirectory.course_id == "tiny"
    assert settings.CourseDirectory.db_url == f"sqlite:///{course_dir.resolve()}/gradebook.db"


def test_a_new_course_directory_is_its_owners_alone(sample: Sample, tmp_path: Path) -> None:
    build(sample.course, tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_config_that_the_instructor_owns_is_kept(sample: Sample, course_dir: Path) -> None:
    build(sample.course, course_dir)
    config = course_dir / "nbgrader_config.py"
    own = config.read_text().split("\n", 1)[1]
    config.write_text(own)
    build(sample.course, course_dir)
    assert config.read_text() == own
