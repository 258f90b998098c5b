"""The plan: whose a name is, what is hidden, which question a check belongs to."""

from __future__ import annotations

import pytest

from autograder.judge import AuthorError, CheckStep, RunStep, plan_notebook
from autograder.judge.plan import bound_names, top_level_imports
from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve


def test_names_bound_by_the_sources_box_cells_are_the_students() -> None:
    source = notebook(
        given("import numpy as np\nBASE = 2"), solve("f", "def f(): pass"), check("f", "expected = f()")
    )
    plan = plan_notebook(source, source)
    assert plan.student_names == {"BASE", "f"}
    assert plan.imports == ("import numpy as np",)
    assert [type(step) for step in plan.steps] == [RunStep, RunStep, CheckStep]


def test_names_of_the_students_own_cells_change_nothing() -> None:
    source = notebook(solve("f", "def f(): pass"), check("f", "f()"))
    submitted = notebook(scratch("import os as np\nlen = 3"), solve("f", "def f(): pass"), check("f", "f()"))
    plan = plan_notebook(submitted, source)
    assert plan.student_names == {"f"}
    assert plan.imports == ()


def test_a_stock_checks_question_is_the_solution_before_it() -> None:
    source = notebook(
        solve("a", ""), check("one", "pass"), solve("b", ""), check("two", "pass", question="named")
    )
    assert [step.question for step in plan_notebook(source, source).checks] == ["a", "named"]


def test_hidden_lines_are_blank_in_the_visible_source_and_numbers_stay() -> None:
    step = plan_notebook(*[notebook(check("c", "a = 1", "b = 2"))] * 2).checks[0]
    assert step.visible_source().split("\n") == ["a = 1", "", "", ""]


def test_a_marker_with_words_around_it_hides_too() -> None:
    text = "a = 1\n  # --- BEGIN HIDDEN TESTS (part 2)\nb = 2\n## END HIDDEN TESTS ###\nc = 3"
    step = plan_notebook(*[notebook(check("c", text))] * 2).checks[0]
    assert step.visible_source().split("\n") == ["a = 1", "", "", "", "c = 3"]


@pytest.mark.parametrize(
    "text",
    [
        "### BEGIN HIDDEN TESTS\nx",
        "### END HIDDEN TESTS",
        "### BEGIN HIDDEN TESTS\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS",
    ],
)
def test_markers_that_do_not_pair_are_the_authors_error(text: str) -> None:
    source = notebook(check("c", text))
    with pytest.raises(AuthorError):
        plan_notebook(source, source)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = 1\ny: int = 2\nz += 1", {"x", "y", "z"}),
        ("a, (b, *c) = 1, (2, 3)", {"a", "b", "c"}),
        ("for i in []:\n    j = i\nelse:\n    k = 1", {"i", "j", "k"}),
        ("with open('x') as f:\n    g = 1", {"f", "g"}),
        ("try:\n    t = 1\nexcept ValueError:\n    u = 2\nfinally:\n    v = 3", {"t", "u", "v"}),
        ("if (w := 1):\n    pass", {"w"}),
        ("class A:\n    inner = 1\ndef f(p):\n    local = 1", {"A", "f"}),
        ("x = [q for q in range(3)]\ny = lambda r: r", {"x", "y"}),
        ("import os\nfrom math import pi", set()),
        ("x.attribute = 1\nx[0] = 2", set()),
        ("%matplotlib inline\nx = 1", {"x"}),
        ("not python (", set()),
    ],
)
def test_bound_names(text: str, names: set[str]) -> None:
    assert bound_names(text) == names


def test_star_and_future_imports_are_left_out() -> None:
    text = (
        "from __future__ import annotations\nfrom math import *\nimport numpy as np\nif True:\n    import os"
    )
    assert top_level_imports(text) == ("import numpy as np",)
