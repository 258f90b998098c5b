"""One pass over a notebook that has nothing more to show: the same is told, and nothing of a hidden input."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from autograder.judge import Court, NotebookResult, Settings, Verdict, plan_notebook
from autograder.judge.quiet import only_defines
from autograder.sandbox.policy import this_host
from tests.autograder.judge.notebooks import check, given, ignore, notebook, scratch, solve, told

SQUARE = "def square(x):\n    return x * x"
# Its hidden line fails before its visible one does.
LOOP = "for x in (2, 3):\n    {}\n    ### BEGIN HIDDEN TESTS\n    assert square(7) == 49\n    ### END HIDDEN TESTS"
HIDDEN = "assert square(1234567) == 1234567 ** 2, 'off'"
DEFINITIONS = (
    SQUARE,
    "import math\nfrom os import path\nx: int = 3\nONE, TWO = 1, -2\n# a remark",
    "async def f(x: np.ndarray | None = None, *rest: int, y: float = 1e-3) -> list[str]:\n    return print(x)",
    "@dataclass(frozen=True)\nclass Point(Base, metaclass=Meta):\n    '''A point.'''\n    x: float = 0.0\n    def f(self):\n        ...",
    "@torch.no_grad()\n@cached\ndef f(self): pass",
    "",
)
OTHERS = (
    "print(1)", "x", "'shown'", "x = f()", "x: int = f()", "for x in y: pass", "if x:\n    def f(): pass", "%time x", "!ls",
    "def f(x=print(1)): pass", "def f(x: print(1)): pass", "def f() -> g(): pass", "@g(h())\ndef f(): pass",
    "class A(g()): pass", "class A:\n    print(1)", "class A(metaclass=g()): pass", "x = [y for y in z]", "x = (y := 3)",
    "del x", "x += 1", "with x: pass", "def f(", "x = lambda: 1", "global x",
)  # fmt: skip


@pytest.mark.parametrize("text", DEFINITIONS)
def test_definitions_show_nothing(text: str) -> None:
    assert only_defines(text)


@pytest.mark.parametrize("text", OTHERS)
def test_what_else_a_cell_does_may_show_something(text: str) -> None:
    assert not only_defines(text)


def judge(court: Court, *cells: Any) -> NotebookResult:
    source = notebook(*cells)
    return court.judge(plan_notebook(source, source), Settings(), b"seed")


def quiet(square: str, *more: Any, visible: str = "assert square(2) == 4", hidden: str = HIDDEN) -> list[Any]:
    return [
        given("print('hello')"),
        solve("square", square),
        check("square", visible, hidden, points=5),
        *more,
    ]


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long this host takes, no open pass is made for that."""
    monkeypatch.setattr("autograder.judge.hearing.QUICK_SECONDS", math.inf)


@pytest.mark.usefixtures("unhurried")
def test_who_has_all_points_is_judged_once(court: Court, opened: list[int]) -> None:
    result = judge(
        court, *quiet(SQUARE, solve("more", "def more():\n    return 1"), check("more", "assert more() == 1"))
    )
    assert result.points == 6
    assert result.cells[0].outputs == ({"output_type": "stream", "name": "stdout", "text": "hello\n"},)
    assert len(opened) == 1
    assert result.usage.cpu_seconds > 0


@pytest.mark.usefixtures("unhurried")
def test_who_fails_hidden_tests_alone_is_judged_once(court: Court, opened: list[int]) -> None:
    result = judge(court, *quiet("def square(x):\n    return 4"))
    assert [(each.verdict, each.message) for each in result.checks] == [(Verdict.WRONG, "off")]
    assert len(opened) == 1


@pytest.mark.parametrize(
    "cells",
    [
        quiet("def square(x):\n    return 5"),
        quiet("def square(x):\n    return 4", hidden=f"{HIDDEN}\n### END HIDDEN TESTS\nassert square(1) == 1\n### BEGIN HIDDEN TESTS"),
        quiet("def square(x):\n    return 4 if x == 2 else 0", visible=LOOP.format("assert square(x) == x * x"), hidden=""),
        quiet(SQUARE, solve("late", "import os as late\nraise ValueError")),
        quiet("import os\ndef square(x):\n    os._exit(0)"),
        quiet(SQUARE, scratch("print('later')")),
        quiet(SQUARE, scratch("import this")),
    ],
    ids=["visible", "visible-below-hidden", "visible-around-hidden", "error", "death", "output", "import-that-prints"],
)  # fmt: skip
def test_whoever_has_more_to_see_has_an_open_pass(court: Court, opened: list[int], cells: list[Any]) -> None:
    source = notebook(*cells)
    plan = plan_notebook(source, source)
    result = told(court.judge(plan, Settings(), b"seed"))
    assert len(opened) >= 2
    assert result == told(court.judge_for_staff(plan, Settings(), b"seed", seen=ignore).result)


def test_the_open_pass_after_a_closed_one_has_a_box_of_its_own(court: Court, opened: list[int]) -> None:
    judge(court, *quiet("def square(x):\n    return 5"))
    assert len(set(opened)) == len(opened) == 2


def test_a_definition_that_prints_tells_nothing_of_hidden_inputs(court: Court) -> None:
    leaky = "seen = []\nclass Base:\n    def __init_subclass__(cls):\n        print('SEEN', seen)\n"
    keeps = "def square(x):\n    seen.append(x)\n    return x * x"
    later = solve("later", "class Later(Base):\n    pass")
    source = notebook(*quiet(leaky + keeps, later))
    plan = plan_notebook(source, source)
    assert plan.quiet
    result = court.judge(plan, Settings(), b"seed")
    assert result.points == 5
    shown = json.dumps(told(result)[1])
    assert "SEEN [2]" in shown
    assert "1234567" not in shown


@pytest.mark.usefixtures("unhurried")
@pytest.mark.skipif(this_host().place is None, reason="needs a control group, which counts memory exactly")
@pytest.mark.parametrize("megabytes", [200, 700])
def test_memory_and_time_of_hidden_tests_are_not_told(court: Court, megabytes: int) -> None:
    """Which a program can choose by its hidden inputs: some megabytes, and so many that an open pass is made."""
    greedy = f"def square(x):\n    kept = b'x' * ({megabytes} << 20) if x > 2 else 0\n    return x * x"
    result = judge(court, *quiet(greedy))
    assert result.points == 5
    assert result.usage.peak_bytes < 200 << 20
    if megabytes == 200:
        assert [each.seconds for each in result.checks] == [0.0]
