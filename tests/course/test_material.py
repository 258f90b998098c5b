from __future__ import annotations

import shutil

import pytest

from autograder.judge import AuthorError
from course.assignment import Authored, slug
from course.material import read_assignment
from tests.course.sample import HIDDEN, RIGHT, SCRIPT, SOLUTION, TOML, WRONG, Sample


def test_reads_an_assignment(sample: Sample) -> None:
    assignment = sample.assignment
    assert (assignment.id, assignment.notebook, assignment.points) == ("01-relu", "relu", 100)
    assert [question.id for question in assignment.questions] == ["relu", "unit"]
    assert (assignment.limits.cell_seconds, assignment.limits.memory_mb) == (4, 512)
    assert isinstance(assignment.content, Authored)
    assert assignment.content.questions == {"relu": "relu", "relu-shape": "relu", "unit": "unit"}
    mistake, way = assignment.wrong[0], assignment.right[0]
    assert (mistake.name, mistake.changes, mistake.mark) == ("abs", ("relu",), 80)
    assert (way.name, way.note, way.mark) == ("clip", "clip instead of where", 100)


def test_an_unknown_assignment_is_named_with_the_nearest(sample: Sample) -> None:
    with pytest.raises(AuthorError, match="did you mean '01-relu'"):
        read_assignment(sample.course, "01-rleu")


TOML_ERRORS = [
    ("summary =", "sumary =", "did you mean 'summary'"),
    ("minutes = 30", "minutes = 0", "at least 1"),
    ('opaque = ["Unit"]', 'opaque = ["Unit", 3]', "names of types"),
    ('opaque = ["Unit"]', 'opaque = ["Unit", "Unit"]', "stands twice"),
    ('hide = ["torch"]', 'hide = ["torch; rm"]', "names of packages"),
    ("files = []", 'files = ["../data"]', "names of files"),
    ("cell_seconds = 4", "cell_second = 4", "did you mean 'cell_seconds'"),
    ("cell_seconds = 4", "cell_seconds = 0", "above zero"),
    ('points = 60, title = "The rectifier"', "points = 60", "'title' is missing in [relu]"),
    ('points = 60, title = "The rectifier"', 'point = 60, title = "x"', "did you mean 'points'"),
    ("relu = {", "rellu = {", "no solve cell; did you mean 'relu'"),
    ("points = 60", "points = 50", "has 50 points, its checks 60"),
]


@pytest.mark.parametrize(("old", "new", "words"), TOML_ERRORS)
def test_an_error_in_assignment_toml_is_named_with_its_line(
    sample: Sample, old: str, new: str, words: str
) -> None:
    line = sample.edit(TOML, old, new)
    if new.startswith("rellu"):
        with pytest.raises(AuthorError, match="did you mean 'rellu'"):
            assert sample.assignment
        return
    sample.refused(TOML, line, words)


def test_a_question_without_a_cell_is_named(sample: Sample) -> None:
    line = sample.edit(TOML, "unit = {", 'unti = { points = 1, title = "x" }\nunit = {')
    sample.refused(TOML, line, "question 'unti' has no solve cell; did you mean 'unit'")


def test_questions_stand_in_the_order_of_the_notebook(sample: Sample) -> None:
    text = (sample.root / TOML).read_text()
    head, rows = text.split("[questions]\n")
    sample.write(TOML, f"{head}[questions]\n" + "".join(reversed(rows.splitlines(True))))
    sample.refused(TOML, head.count("\n") + 2, "'unit' out of order", "'relu' stands here")


def test_points_add_up_to_a_hundred(sample: Sample) -> None:
    sample.edit(TOML, "points = 40", "points = 30")
    sample.edit(SCRIPT, '# %% check="unit" points=40', '# %% check="unit" points=30')
    line = (sample.root / TOML).read_text().split("[questions]")[0].count("\n") + 1
    sample.refused(TOML, line, "add up to 90, not to 100")


def test_a_question_without_a_check_is_named(sample: Sample) -> None:
    sample.edit(SCRIPT, '# %% check="unit" points=40\nassert float(Unit(0.5)(2.0)) == 2.0\n', "")
    line = sample.edit(TOML, "unit = {", "unit = {")
    sample.refused(TOML, line, "question 'unit' has no check")


def test_a_check_without_a_question_is_named(sample: Sample) -> None:
    line = sample.edit(SCRIPT, 'check="unit"', 'check="untt"')
    sample.refused(SCRIPT, line, "belongs to no question", "did you mean 'unit'")


def test_a_check_stands_behind_its_question(sample: Sample) -> None:
    text = (sample.root / SCRIPT).read_text()
    check = '# %% check="unit" points=40\nassert float(Unit(0.5)(2.0)) == 2.0\n'
    sample.write(SCRIPT, text.replace(check, "").replace('# %% solve="relu"', f'{check}\n# %% solve="relu"'))
    line = text[: text.index('# %% solve="relu"')].count("\n") + 1
    sample.refused(SCRIPT, line, "stands before its solve")


PARTNERS = [
    (SOLUTION, 'solve="unit"', 'solve="units"', SCRIPT, 'solve="unit"', "did you mean 'units'"),
    (HIDDEN, 'check="unit"', 'check="units"', SCRIPT, 'check="unit"', "did you mean 'units'"),
    (SOLUTION, '# %% solve="unit"', "# x", SCRIPT, 'solve="unit"', "no partner"),
]


@pytest.mark.parametrize(("name", "old", "new", "at", "piece", "words"), PARTNERS)
def test_a_piece_without_a_partner_is_named(
    sample: Sample, name: str, old: str, new: str, at: str, piece: str, words: str
) -> None:
    sample.edit(name, old, new)
    sample.refused(at, sample.edit(at, piece, piece), words)


@pytest.mark.parametrize(("name", "kind"), [(SOLUTION, "solve"), (HIDDEN, "check")])
def test_a_partner_too_many_is_named(sample: Sample, name: str, kind: str) -> None:
    text = (sample.root / name).read_text()
    sample.write(name, f'{text}\n# %% {kind}="rellu"\nx = 1\n')
    sample.refused(name, text.count("\n") + 2, "no partner in the assignment", "did you mean 'relu'")


VARIANTS = [
    (WRONG, "# mistake =", "# mistkae =", "did you mean 'mistake'"),
    (WRONG, '["relu"]', '["rellu"]', "did you mean 'relu'"),
    (WRONG, '["relu"]', "[]", "at least one question"),
    (WRONG, "mark = 80", "mark = 100", "must cost points"),
    (WRONG, "mark = 80", "mark = -1", "from zero on"),
    (WRONG, "mark = 80", 'mark = "80"', "from zero on"),
    (WRONG, "# mark = 80", "# mark 80", "not TOML"),
    (WRONG, '# %% solve="relu"', '# %% solve="rellu"', "did you mean 'relu'"),
    (RIGHT, "# way =", "# wya =", "did you mean 'way'"),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), VARIANTS)
def test_an_error_in_a_variant_is_named_with_its_line(
    sample: Sample, name: str, old: str, new: str, words: str
) -> None:
    sample.refused(name, sample.edit(name, old, new), words)


def test_a_variant_without_its_header_is_named(sample: Sample) -> None:
    sample.write(RIGHT, '# %% solve="relu"\nrelu = abs\n')
    sample.refused(RIGHT, 1, "'way' is missing")


STRAYS = [
    ("solutions/01-relu/hiden.py", "did you mean 'hidden.py'"),
    ("solutions/01-relu/wrongs/a.py", "did you mean 'wrong'"),
    ("solutions/01-relu/wrong/notes.txt", "only .py files"),
    ("assignments/01-relu/hidden.py", "would be released"),
    ("assignments/01-relu/wrong/abs.py", "would be released"),
    ("assignments/01-relu/relu.ipynb", "is the assignment already"),
    ("solutions/01-relu/relu.ipynb", "is the assignment already"),
]


@pytest.mark.parametrize(("name", "words"), STRAYS)
def test_a_file_that_is_out_of_place_is_named(sample: Sample, name: str, words: str) -> None:
    sample.write(name, "x = 1\n")
    with pytest.raises(AuthorError, match=words) as caught:
        assert sample.assignment
    assert str(sample.root / name.partition("/a")[0]) in str(caught.value)


def test_other_files_are_released_but_for_caches(sample: Sample) -> None:
    sample.write("assignments/01-relu/data/points.csv", "1,2\n")
    sample.write("assignments/01-relu/__pycache__/relu.pyc", b"x")
    sample.write("solutions/01-relu/notes.md", "fine")
    assert [path.name for path in sample.assignment.extras] == ["points.csv"]


def test_a_link_is_not_released(sample: Sample) -> None:
    (sample.root / "assignments/01-relu/key.txt").symlink_to(sample.root / HIDDEN)
    sample.refused("assignments/01-relu/key.txt", 1, "a link can't be released")


def test_solutions_may_lie_in_another_repository(sample: Sample) -> None:
    elsewhere = sample.root.parent / "private"
    shutil.move(sample.root / "solutions", elsewhere)
    sample.edit("course/course.toml", '"../solutions"', f'"{elsewhere}"')
    assert sample.assignment.solutions == elsewhere / "01-relu"


def test_a_missing_script_is_named_with_the_nearest(sample: Sample) -> None:
    (sample.root / SCRIPT).rename(sample.root / "assignments/01-relu/rleu.py")
    with pytest.raises(AuthorError, match="did you mean 'rleu"):
        assert sample.assignment


def test_a_missing_folder_is_named(sample: Sample) -> None:
    shutil.rmtree(sample.root / "assignments/01-relu")
    shutil.rmtree(sample.root / "solutions/01-relu")
    with pytest.raises(AuthorError, match="no folder"):
        assert sample.assignment


@pytest.mark.parametrize("missing", [SOLUTION, HIDDEN, TOML])
def test_a_missing_file_is_named(sample: Sample, missing: str) -> None:
    (sample.root / missing).unlink()
    with pytest.raises(AuthorError, match="no such file"):
        assert sample.assignment


def test_a_slug_is_the_folder_without_its_number() -> None:
    assert [slug(name) for name in ("07-autograd", "autograd", "10_quant")] == [
        "autograd",
        "autograd",
        "quant",
    ]
