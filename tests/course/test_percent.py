from __future__ import annotations

from pathlib import Path

import jupytext
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode

from autograder.judge import AuthorError
from course.notebook import code_cell, new_notebook, text_cell
from course.percent import Kind, Role, parse_script, read_script
from tests.course.sample import SCRIPT, Sample

FILE = Path("relu.py")


def kinds(text: str, role: Role = Role.ASSIGNMENT) -> list[tuple[Kind, str, str]]:
    return [(cell.kind, cell.id, cell.source) for cell in parse_script(text, FILE, role).cells]


def refused(text: str, line: int, *words: str, role: Role = Role.ASSIGNMENT) -> None:
    with pytest.raises(AuthorError) as caught:
        parse_script(text, FILE, role)
    message = str(caught.value)
    assert message.startswith(f"{FILE}:{line}: "), message
    for word in words:
        assert word in message, message


def test_reads_every_kind_of_cell(sample: Sample) -> None:
    script = read_script(sample.root / SCRIPT, Role.ASSIGNMENT)
    assert [(cell.kind.value, cell.id, cell.points) for cell in script.cells] == [
        ("markdown", "", 0),
        ("given", "", 0),
        ("solve", "relu", 0),
        ("check", "relu", 20),
        ("check", "relu-shape", 40),
        ("solve", "unit", 0),
        ("check", "unit", 40),
    ]
    assert script.cells[0].source.startswith("# Rectifiers\n\nA rectifier")
    assert [cell.place.line for cell in script.cells] == [8, 13, 16, 21, 24, 27, 37]


def test_a_speed_check_says_so() -> None:
    script = parse_script('# %% check="a" points=0.5 speed=true\nf()\n', FILE, Role.ASSIGNMENT)
    assert (script.cells[0].speed, script.cells[0].points) == (True, 0.5)


def test_markdown_may_stand_in_triple_quotes() -> None:
    assert kinds('# %% [markdown]\n"""\n# A\n\nb\n"""\n') == [(Kind.TEXT, "", "# A\n\nb")]


def test_a_magic_in_a_comment_stays_a_comment() -> None:
    assert kinds("# %%\n# %matplotlib inline\nx = 1\n") == [(Kind.GIVEN, "", "# %matplotlib inline\nx = 1")]


MARKERS = [
    ('#%% solve="a"', "isn't a cell marker"),
    ('## %% solve="a"', "isn't a cell marker"),
    ('# %%solve="a"', "isn't a cell marker"),
    ('# %%% solve="a"', "isn't a cell marker"),
    ('  # %% solve="a"', "isn't a cell marker"),
    ('# % slove="a"', "isn't a cell marker"),
    ('# solve="a"', "isn't a cell marker"),
    ("# %% [markdwon]", "did you mean '[markdown]'"),
    ('# %% [markdown] solve="a"', "unknown cell type"),
    ('# %% slove="a"', "did you mean 'solve'"),
    ('# %% check="a" pionts=3', "did you mean 'points'"),
    ('# %% check="a" points=3 sped=true', "did you mean 'speed'"),
    ('# %% check="a"', "needs points"),
    ('# %% check="a" points=0', "above zero"),
    ('# %% check="a" points=-1', "above zero"),
    ('# %% check="a" points="3"', "above zero"),
    ('# %% check="a" points=nan', "above zero"),
    ('# %% check="a" points=3 points=4', "stands twice"),
    ('# %% check="a" points=3 speed=yes', "true or false"),
    ('# %% solve="a" points=3', "doesn't belong to a solve cell"),
    ('# %% solve="a" check="a" points=3', "doesn't belong to a solve cell"),
    ("# %% points=3", "doesn't belong to a given cell"),
    ("# %% solve=a", "in double quotes"),
    ('# %% solve="A"', "isn't an id"),
    ('# %% solve=""', "isn't an id"),
    ('# %% solve="check-a"', "may not begin with"),
    ('# %% solve="given-1"', "may not begin with"),
    (f'# %% solve="{"a" * 51}"', "isn't an id"),
    ("# %% a title", "can't read 'a title'"),
    ('# %% solve = "a"', "can't read"),
    ('# %% solve="a', "can't read"),
]


@pytest.mark.parametrize(("marker", "words"), MARKERS)
def test_a_wrong_marker_is_named_with_its_line(marker: str, words: str) -> None:
    refused(f"# %%\nx = 1\n\n{marker}\ny = 2\n", 4, words)


NBGRADER = [
    ("### BEGIN SOLUTION", "BEGIN SOLUTION"),
    ("### END SOLUTION", "END SOLUTION"),
    ("    ### BEGIN HIDDEN TESTS", "BEGIN HIDDEN TESTS"),
    ("### END HIDDEN TESTS", "END HIDDEN TESTS"),
    ("### BEGIN HIDEN TESTS", "BEGIN HIDDEN TESTS"),
    ("# begin hidden tests", "BEGIN HIDDEN TESTS"),
    ("### BEGIN_HIDDEN_TESTS", "BEGIN HIDDEN TESTS"),
    ("###BEGINSOLUTION", "BEGIN SOLUTION"),
    ("x = 2  ### END HIDDEN TEST", "END HIDDEN TESTS"),
    ('"""BEGIN SOLUTION"""', "BEGIN SOLUTION"),
]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("line", "marker"), NBGRADER)
def test_a_marker_of_nbgrader_is_refused_however_it_is_spelt(line: str, marker: str, role: Role) -> None:
    head = '# %% check="a"' if role is Role.HIDDEN else '# %% solve="a"'
    refused(f"{head}\nx = 1\n{line}\n", 3, f"marker '### {marker}'", role=role)


def test_an_id_stands_once() -> None:
    refused('# %% solve="a"\nx = 1\n# %%\nz = 1\n# %% solve="a"\ny = 1\n', 5, "in line 1 already")


def test_a_question_and_a_check_may_share_an_id() -> None:
    assert len(kinds('# %% solve="a"\nx = 1\n# %% check="a" points=1\nx\n')) == 2


@pytest.mark.parametrize("body", ["", "\n\n", "# only words\n"])
def test_an_empty_cell_is_refused(body: str) -> None:
    refused(f'# %%\nx = 1\n# %% solve="a"\n{body}', 3, "an empty cell")


def test_what_is_not_python_is_named_with_its_line() -> None:
    refused("# %%\nx = 1\n\n# %%\ny = 2\nz = (\n", 6, "not Python")
    refused("# %%\n%matplotlib inline\n", 2, "not Python")


def test_a_doubtful_escape_is_named_as_a_student_would_see_it() -> None:
    refused('# %%\nx = 1\ny = "\\sum"\n', 3, "invalid escape")


def test_a_cell_marker_inside_a_string_ends_the_cell() -> None:
    refused('# %%\nx = """\n# %%\n"""\n', 2, "not Python")


def test_code_before_the_first_cell_is_refused() -> None:
    refused("# fine\n\nimport numpy\n# %%\nx = 1\n", 3, "before the first")


def test_a_file_without_cells_is_refused() -> None:
    refused("# nothing\n", 1, "no cell here")


@pytest.mark.parametrize(
    ("role", "marker"),
    [(Role.SOLUTION, "# %%"), (Role.HIDDEN, "# %%")],
)
def test_other_kinds_of_cells_are_refused(role: Role, marker: str) -> None:
    refused(f"{marker}\nx = 1\n", 1, "a given cell", role=role)


@pytest.mark.parametrize(
    ("role", "marker", "word"),
    [
        (Role.SOLUTION, '# %% check="a"', "unknown attribute 'check'"),
        (Role.HIDDEN, '# %% solve="a"', "unknown attribute 'solve'"),
        (Role.HIDDEN, '# %% check="a" points=3', "unknown attribute 'points'"),
    ],
)
def test_attributes_of_other_files_are_refused(role: Role, marker: str, word: str) -> None:
    refused(f"{marker}\nx = 1\n", 1, word, role=role)


SOURCES = st.sampled_from(
    ["x = 1", "def f():\n    return 2", "# why\nx = 3\n\n\ny = 4", 's = """\n\n#\n"""', "if x:\n    pass"]
)
PROSE = (
    st.text(alphabet="ab #$_-*`>\n", min_size=1)
    .map(lambda text: text.strip() or "a")
    .map(lambda text: "\n".join(line.rstrip() for line in text.split("\n")))
)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Kind)), SOURCES, PROSE, st.integers(1, 9), st.booleans()), min_size=1
    )
)
def test_reads_back_what_jupytext_writes(cells: list[tuple[Kind, str, str, int, bool]]) -> None:
    written: list[NotebookNode] = []
    expected: list[tuple[Kind, str, str, float, bool]] = []
    for number, (kind, source, prose, points, speed) in enumerate(cells):
        name = f"q-{number}"
        if kind is Kind.TEXT:
            written.append(text_cell(f"c{number}", prose))
            expected.append((kind, prose, "", 0, False))
            continue
        fast = kind is Kind.CHECK and speed
        metadata: dict[str, object] = {"speed": True} if fast else {}
        if kind is Kind.SOLVE:
            metadata |= {"solve": name}
        elif kind is Kind.CHECK:
            metadata |= {"check": name, "points": points}
        written.append(code_cell(f"c{number}", source, metadata))
        named = kind is not Kind.GIVEN
        expected.append((kind, source, name if named else "", points if kind is Kind.CHECK else 0, fast))
    text = jupytext.writes(new_notebook(written, {}), fmt="py:percent")
    read = parse_script(text, FILE, Role.ASSIGNMENT).cells
    assert [(cell.kind, cell.source, cell.id, cell.points, cell.speed) for cell in read] == expected
