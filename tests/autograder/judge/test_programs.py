"""Checks are compiled once, and what they do is what their text says."""

from __future__ import annotations

import ast

import pytest

from autograder.judge import Court
from autograder.judge.plan import CheckStep, plan_notebook
from autograder.judge.programs import compiled, filename_of, learn, packed_checks
from autograder.judge.records import Verdict
from autograder.judge.settings import Settings
from tests.autograder.notebooks import check, notebook, solve


def step(source: str, hidden: frozenset[int] = frozenset()) -> CheckStep:
    return CheckStep(0, "test_f", "f", source, 1.0, hidden)


@pytest.mark.parametrize(
    ("source", "value"),
    [("x = 2\nx + 1", 3), ("x = 2\nx + 1;", None), ("x = 2", None), ("", None), ("3", 3), ("# 3", None)],
)
def test_the_last_expression_is_what_a_notebook_would_show(source: str, value: object) -> None:
    body, last = compiled(source, "<check>")
    names: dict[str, object] = {}
    exec(body, names)  # noqa: S102 -- the test's own lines
    assert (last and eval(last, names)) == value  # noqa: S307


def test_what_is_learnt_needs_no_compiling_and_the_rest_is_forgotten() -> None:
    hidden = step("assert f(1)\nassert f(2)", frozenset({2}))
    learn(packed_checks([step("assert gone")]))
    learn(packed_checks([hidden, step("def broken(:")]))
    known = compiled.cache_info()
    for source in (hidden.source, hidden.visible_source()):
        compiled(source, filename_of("test_f"))
    assert (compiled.cache_info().hits, compiled.cache_info().misses) == (known.hits + 2, known.misses)
    compiled("assert gone", filename_of("test_f"))
    assert compiled.cache_info().misses == known.misses + 1
    with pytest.raises(SyntaxError):
        compiled("def broken(:", filename_of("test_f"))


def test_a_programs_lines_are_its_texts() -> None:
    body, _ = compiled("x = 1\n\nassert x", "<check>")
    lines = {line for _, _, line in body.co_lines() if line}
    assert lines == {node.lineno for node in ast.parse("x = 1\n\nassert x").body}


def test_assignments_by_turns_with_checks_of_one_name(court: Court) -> None:
    """What the judge process has compiled for one is not taken for another's; nor after it began anew."""
    answer = solve("f", "def f():\n    raise NotImplementedError", "def f():\n    return 1")
    wants = {number: notebook(answer, check("c", f"assert f() == {number}", points=1)) for number in (1, 2)}
    for number in (1, 2, 1, 2, 2):
        source = wants[number]
        result = court.judge(plan_notebook(source, source), Settings(), b"seed")
        assert [each.verdict for each in result.checks] == [Verdict.OK if number == 1 else Verdict.WRONG]


def test_a_check_that_does_not_compile_fails_alone(court: Court) -> None:
    source = notebook(
        solve("f", "def f():\n    pass", "def f():\n    return 1"),
        check("broken", "assert f( == 1", points=1),
        check("whole", "assert f() == 1", points=1),
    )
    result = court.judge(plan_notebook(source, source), Settings(), b"seed")
    assert [each.verdict for each in result.checks] == [Verdict.ERROR, Verdict.OK]
