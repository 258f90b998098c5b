"""The plug-in against its oracle: the stock nbgrader, on courses that know nothing of us."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from traitlets import TraitError
from traitlets.config import Config, LoggingConfigurable

from autograder.errors import AuthorError, PlatformError
from autograder.gradebook.folders import notebook_bytes
from autograder.judge import NotebookResult, Verdict
from autograder.nbgrader_plugin import HideTests, SandboxedJudge, configure
from tests.autograder.conftest import nbgrader
from tests.autograder.gradebook.gradings import result
from tests.autograder.notebooks import (
    cell_of,
    check,
    code,
    essay,
    given,
    notebook,
    right,
    solve,
    text,
    two_questions,
)

OURS = """
import autograder.nbgrader_plugin
autograder.nbgrader_plugin.configure(c)
"""
STUB = "def double(x):\n    raise NotImplementedError"
EXTRA = notebook(
    given("given-1", "import math"),
    solve("double", STUB, "def double(x):\n    return 2 * x"),
    check("number", "score = 0.5\nif double(2) == 4:\n    score = 1.5\nscore", 2),
    check("words", "assert double(1) == 2\n'well done'", 1),
    check("zero", "1 if double(0) == 0 else 0", 1),
    check("hidden", "pass\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS", 3),
    check(
        "caught",
        "try:\n    double('a', 'b')\nexcept TypeError:\n    pass\nelse:\n    raise AssertionError",
        1,
    ),
    code(
        "### BEGIN SOLUTION\nmath.pi\n### END SOLUTION", grade_id="plot", solution=True, grade=True, points=2
    ),
    essay("why", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION", 3),
)
ANSWERS: dict[str, dict[str, str]] = {
    "bare": {},
    "right": {"double": "def double(x):\n    return x + x", "plot": "math.e", "why": "I know."},
    "half": {"double": "def double(x):\n    return 4 if x == 2 else x"},
    "broken": {"double": "def double(x)\n    return 2 * x"},
    "chatty": {"double": "print('hello')\ndef double(x):\n    print(x)\n    return 2 * x\ndouble(3)"},
}
HOSTILE = {
    "stderr": "import sys\ndef double(x):\n    print('note', file=sys.stderr)\n    return 2 * x\ndouble(1)",
    "leaves": "import os\nos._exit(0)",
    "cheats": "class Yes:\n    __eq__ = lambda self, other: True\ndef double(x):\n    return Yes()",
}


@dataclass(frozen=True)
class Mark:
    auto: float | None
    manual: bool
    comment: str | None = None


def hand_in(course: Path, assignment: str, student: str, answers: dict[str, str]) -> None:
    """Submits the released notebooks with these answers written in."""
    folder = course / "submitted" / student / assignment
    shutil.copytree(course / "release" / assignment, folder)
    for path in folder.glob("*.ipynb"):
        nb = nbformat.read(path, 4)
        for cell in nb.cells:
            cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        path.write_bytes(notebook_bytes(nb))


def solutions(course: Path, assignment: str) -> dict[str, str]:
    """The source's own answers."""
    found = {}
    for path in (course / "source" / assignment).glob("*.ipynb"):
        for cell in nbformat.read(path, 4).cells:
            own = cell.metadata.get("nbgrader", {})
            if own.get("solution"):
                found[own["grade_id"]] = cell.source
    return found


def marks(course: Path, assignment: str, student: str) -> dict[str, Mark]:
    """Every mark that nbgrader has for a submission, and every automatic comment."""
    found = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for part in gradebook.find_submission(assignment, student).notebooks:
            for grade in part.grades:
                found[f"{part.name}/{grade.name}"] = Mark(grade.auto_score, grade.needs_manual_grade)
            for each in part.comments:
                found[f"{part.name}/{each.name}/comment"] = Mark(None, False, each.auto_comment)
    return found


@pytest.fixture(scope="module")
def courses(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """nbgrader's own example course and one assignment more, graded by the stock and by us."""
    home = tmp_path_factory.mktemp("courses")
    nbgrader(home, "quickstart", "stock")
    stock, ours = home / "stock", home / "ours"
    (stock / "source" / "extra").mkdir()
    (stock / "source" / "extra" / "extra.ipynb").write_bytes(notebook_bytes(EXTRA))
    for assignment in ("ps1", "extra"):
        nbgrader(stock, "generate_assignment", assignment)
    worked = solutions(stock, "ps1")
    for student, answers in {"bare": {}, "right": worked}.items():
        hand_in(stock, "ps1", student, answers)
    for student, answers in ANSWERS.items():
        hand_in(stock, "extra", student, answers)
    shutil.copytree(stock, ours)
    for student, answer in HOSTILE.items():
        hand_in(ours, "extra", student, {"double": answer})
    with (ours / "nbgrader_config.py").open("a") as config:
        config.write(OURS)
    for course in (stock, ours):
        for assignment in ("ps1", "extra"):
            nbgrader(course, "autograde", assignment)
    return stock, ours


@pytest.mark.slow
@pytest.mark.parametrize("student", ["bare", "right"])
def test_nbgraders_example_course_gets_the_same_marks(courses: tuple[Path, Path], student: str) -> None:
    stock, ours = courses
    expected = marks(stock, "ps1", student)
    assert len(expected) == 16
    assert marks(ours, "ps1", student) == expected


@pytest.mark.slow
@pytest.mark.parametrize("student", ANSWERS)
def test_numbers_words_and_essays_get_the_same_marks(courses: tuple[Path, Path], student: str) -> None:
    stock, ours = courses
    assert marks(ours, "extra", student) == marks(stock, "extra", student)


@pytest.mark.slow
def test_hostile_submissions_get_what_they_deserve(courses: tuple[Path, Path]) -> None:
    _, ours = courses
    points = {
        student: sum(mark.auto or 0 for mark in marks(ours, "extra", student).values()) for student in HOSTILE
    }
    assert points == {"stderr": 7.5, "leaves": 0, "cheats": 1}  # its double('a', 'b') is a TypeError


@pytest.mark.slow
def test_feedback_shows_no_hidden_test(courses: tuple[Path, Path]) -> None:
    _, ours = courses
    nbgrader(ours, "generate_feedback", "extra")
    page = (ours / "feedback/half/extra/extra.html").read_text()
    assert "def" in page and "hidden" in page
    assert "double(21)" not in page and "BEGIN HIDDEN" not in page


class Converter(LoggingConfigurable):
    """What a preprocessor sees of nbgrader's converter."""

    coursedir: Any = None
    mlsys_court: Any = None


class Exporter(LoggingConfigurable):
    """What a preprocessor sees of nbconvert's exporter."""


class Decided:
    """A court that has its result already."""

    def __init__(self, judged: NotebookResult) -> None:
        self.judged = judged

    def judge(self, plan: object, settings: object, seed: bytes) -> NotebookResult:
        return self.judged


@pytest.fixture
def exporter(course: Path) -> Iterator[Exporter]:
    converter = Converter()
    converter.coursedir = CourseDirectory(root=str(course))
    yield Exporter(parent=converter)


def resources(course: Path) -> dict[str, Any]:
    url = f"sqlite:///{course}/gradebook.db"
    return {"nbgrader": {"student": "ada", "assignment": "layers", "notebook": "layers", "db_url": url}}


def judged(exporter: Exporter, course: Path, nb: NotebookNode, decided: NotebookResult) -> NotebookNode:
    assert isinstance(exporter.parent, Converter)
    exporter.parent.mlsys_court = Decided(decided)
    built, _ = SandboxedJudge(parent=exporter).preprocess(nb, resources(course))
    return built


def test_a_judged_notebook_has_the_releases_checksums(
    exporter: Exporter, course: Path, released_notebook: NotebookNode
) -> None:
    built = judged(exporter, course, right(two_questions()), result())
    for name in ("relu", "check-relu", "why", "given-1"):
        expected = cell_of(released_notebook, name).metadata.nbgrader.checksum
        if name != "check-relu":  # its hidden tests are part of the checksum in the gradebook alone
            assert cell_of(built, name).metadata.nbgrader.checksum == expected


def test_a_fault_records_nothing(exporter: Exporter, course: Path) -> None:
    with pytest.raises(PlatformError, match="not judged, so no mark is recorded: Words about check-relu"):
        judged(exporter, course, right(two_questions()), result(Verdict.FAULT, Verdict.OK, Verdict.OK))
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook, pytest.raises(MissingEntry):
        gradebook.find_submission("layers", "ada")


def test_a_submission_that_can_not_be_used_is_zero_with_a_reason(exporter: Exporter, course: Path) -> None:
    many = notebook(*(text("x") for _ in range(5001)))
    built = judged(exporter, course, many, result())
    (output,) = cell_of(built, "check-relu").outputs
    assert "5001 cells" in output.evalue


def test_a_missing_source_is_ours_to_put_right(exporter: Exporter, course: Path) -> None:
    (course / "source/layers/layers.ipynb").unlink()
    with pytest.raises(PlatformError, match=r"layers\.ipynb can't be read"):
        judged(exporter, course, right(two_questions()), result())


def test_another_language_is_refused(exporter: Exporter, course: Path) -> None:
    source = two_questions()
    source.metadata.kernelspec.language = "R"
    (course / "source/layers/layers.ipynb").write_bytes(notebook_bytes(source))
    with pytest.raises(AuthorError, match="only Python"):
        judged(exporter, course, right(two_questions()), result())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"memory_mb": 0}, "memory_mb must be a positive number"),
        ({"cell_seconds": -1.0}, "cell_seconds"),
        ({"check_seconds": 0.0}, "check_seconds must be positive"),
        ({"memory": 512}, "has no memory; it has .*memory_mb"),
    ],
)
def test_a_wrong_limit_is_an_error(exporter: Exporter, wrong: dict[str, float], words: str) -> None:
    with pytest.raises(TraitError, match=words):
        SandboxedJudge(parent=exporter, config=Config({"SandboxedJudge": wrong}))


def test_hidden_tests_are_hidden_and_answers_left_alone() -> None:
    nb = two_questions()
    cell_of(nb, "relu").source = "### BEGIN HIDDEN TESTS"
    hidden, _ = HideTests().preprocess(nb, {})
    assert cell_of(hidden, "check-relu").source == "assert relu(3) == 3\n"
    assert cell_of(hidden, "relu").source == "### BEGIN HIDDEN TESTS"


def test_one_call_configures_a_course() -> None:
    c = Config()
    configure(c)
    names = [each.__name__ for each in c.Autograde.autograde_preprocessors]
    assert names[0] == "SandboxedJudge" and "Execute" not in names and "SaveAutoGrades" in names
    assert c.Autograde.sanitize_preprocessors[0].__name__ == "RepairCells"
    assert c.GenerateFeedback.preprocessors[0] is HideTests
