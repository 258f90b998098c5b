"""What a student's answer does to the judge is the student's: never a fault, never another check's loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.judge import Court, NotebookResult, Settings, Verdict, plan_notebook
from autograder.sandbox import DEFAULT_LIMITS
from tests.autograder.judge.notebooks import check, notebook, solve

pytestmark = pytest.mark.slow
SETTINGS = Settings(limits=replace(DEFAULT_LIMITS, memory_mb=256), check_seconds=30)
SHORT = replace(SETTINGS, check_seconds=3)


def judged(court: Court, answer: str, *checks: str, settings: Settings = SETTINGS) -> NotebookResult:
    cells = [check(f"c{number}", source) for number, source in enumerate(checks)]
    made = notebook(solve("f", answer), *cells)
    return court.judge(plan_notebook(made, made), settings, b"seed", open_pass=False)


def verdicts(result: NotebookResult) -> list[Verdict]:
    return [each.verdict for each in result.checks]


@pytest.mark.parametrize(
    ("answer", "check", "words"),
    [
        # One call in C, which nothing interrupts: the judge's process is ended, and another takes its place.
        ("1 << 62", "assert sum(range(f(1))) == 3", "with what your code returned"),
        ("range(1 << 62)", "assert sum(f(1)) == 3", "Your code took longer"),
    ],
)
def test_a_check_that_never_ends_has_timed_out(court: Court, answer: str, check: str, words: str) -> None:
    source = f"def f(x): return {answer} if x else 7"
    result = judged(court, source, "expected = 7", check, "assert f(0) == expected", settings=SHORT)
    assert verdicts(result) == [Verdict.OK, Verdict.TIMEOUT, Verdict.OK]
    assert "time limit" in result.checks[1].message and words in result.checks[1].message


def test_the_checks_of_a_notebook_have_an_end_together(court: Court) -> None:
    short = replace(SHORT, limits=replace(SETTINGS.limits, notebook_seconds=4.5))
    slow = "import time\ndef f(x):\n    time.sleep(60)"
    result = judged(court, slow, *["assert f(1) == 2"] * 20, settings=short)
    assert set(verdicts(result)) == {Verdict.TIMEOUT}
    assert "all of its time" in result.checks[-1].message


@pytest.mark.parametrize("kind", ["StopIteration", "type('Own', (StopIteration,), {})", "StopAsyncIteration"])
def test_an_error_of_the_students_ends_no_loop_of_the_check(court: Court, kind: str) -> None:
    result = judged(court, f"def f(x): raise {kind}", "assert all(map(lambda x: f(x) == x, (1, 2)))")
    assert verdicts(result) == [Verdict.ERROR]


def test_an_iterator_of_the_students_may_end(court: Court) -> None:
    source = "it = f(2)\nassert [next(it), next(it)] == [0, 1]\nassert list(f(3)) == [0, 1, 2]\n"
    ends = "import pytest\nwith pytest.raises(StopIteration):\n    next(it)"
    assert verdicts(judged(court, "def f(n): yield from range(n)", source + ends)) == [Verdict.OK]


@pytest.mark.parametrize("empty", ["np.zeros((0, 1))", "np.array([])", "torch.zeros(0, 1)"])
def test_an_array_without_elements_is_no_answer(court: Court, empty: str) -> None:
    answer = f"import numpy as np, torch\ndef f(x): return {empty}"
    lean = "import numpy as np\ntry:\n    assert np.allclose(np.asarray(f(1)), [1.0, 2.0])\nexcept AssertionError:\n    pass"
    result = judged(court, answer, lean, "import numpy as np\nassert (np.array(f(1)) == 3).all()")
    assert verdicts(result) == [Verdict.WRONG, Verdict.WRONG]


def test_what_students_are_shown_of_time_and_memory_is_not_of_the_hidden_pass(court: Court) -> None:
    answer = "import time\ndef f(x):\n    hoard = bytearray(x << 20)\n    return len(hoard)"
    made = notebook(solve("f", answer), check("c", "assert f(1)", "assert f(150)"))
    result = court.judge(plan_notebook(made, made), SETTINGS, b"seed")
    assert verdicts(result) == [Verdict.OK]
    assert result.usage.peak_bytes < 150 << 20


OPERATORS = (
    "\nclass Own:\n    def __sub__(self, other): return 0.0\n    __rsub__ = __sub__\ndef f(x): return Own()"
)


@pytest.mark.parametrize(
    ("source", "verdict"), [("def f(x): return x", Verdict.WRONG), (OPERATORS, Verdict.OK)]
)
def test_arithmetic_is_for_objects_that_the_source_gives_it(
    court: Court, source: str, verdict: Verdict
) -> None:
    """What a check expects never enters a box as an operand, where a number was to be returned."""
    cells = [check("left", "assert (f(1) - 7) == 0"), check("right", "assert (7 - f(1)) == 0")]
    made, model = notebook(solve("f", OPERATORS), *cells), notebook(solve("f", source), *cells)
    result = court.judge(plan_notebook(made, model), SETTINGS, b"seed", open_pass=False)
    assert verdicts(result) == [verdict, verdict]


def test_a_recursion_error_of_the_students_is_an_error(court: Court) -> None:
    result = judged(court, "def f(x): return f(x)", "assert f(1) == 2", "assert f(2) == 2")
    assert verdicts(result) == [Verdict.ERROR, Verdict.ERROR]


@pytest.mark.parametrize("empty", ["range(0)", "bytearray()", "[]", "()"])
def test_a_sequence_without_elements_is_no_answer_for_numpy(court: Court, empty: str) -> None:
    cells = ("import numpy as np\nassert np.allclose(f(1), 13)", "np.testing.assert_allclose(f(1), 13)")
    result = judged(court, f"def f(x): return {empty}", *cells)
    assert verdicts(result) == [Verdict.WRONG, Verdict.WRONG]


def test_small_integers_of_torch_are_compared_as_numbers(court: Court) -> None:
    answer = "import torch\ndef f(x): return torch.tensor(x % 256, dtype=torch.uint8)"
    wrapped = (
        "assert f(298) == 298",
        "assert abs(f(298) - 298) < 1",
        "assert 298 == f(298)",
        "assert f(-8) == -8",
    )
    result = judged(court, answer, *wrapped, "assert f(42) == 42 and abs(f(42) - 40) == 2")
    assert verdicts(result) == [Verdict.WRONG] * 4 + [Verdict.OK]


def test_torch_has_the_judges_rules_in_a_judge_that_was_not_told_of_it() -> None:
    """What the source doesn't name is loaded where a student's answer or a check brings it in."""
    answer = "import torch\ndef f(x): return torch.tensor(x % 256, dtype=torch.uint8)"
    given = "def f(x): return x"
    checks = [check("wrapped", "assert f(298) == 298"), check("small", "assert f(42) == 42")]
    source = notebook(solve("f", given), *checks)
    plan = plan_notebook(notebook(solve("f", answer), *checks), source)
    assert not plan.uses("torch")
    with Court() as court:
        result = court.judge(plan, replace(SETTINGS, check_seconds=60), b"seed", open_pass=False)
    assert verdicts(result) == [Verdict.WRONG, Verdict.OK]
