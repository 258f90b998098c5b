"""Two passes: what a student reads has never seen a hidden input; what counts has."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace

import pytest

from autograder.judge import Court, NotebookResult, Settings, Verdict, plan_notebook
from autograder.sandbox import DEFAULT_LIMITS
from autograder.speed.cores import work_cores
from tests.autograder.judge.notebooks import check, given, ignore, notebook, scratch, solve, told

HIDDEN = 'assert square(1234567) == 1234567 ** 2, f"square is off for {1234567}"'


def judge(court: Court, *cells: object, **changed: float) -> NotebookResult:
    """What comes of it, which is the same whichever pass is the first."""
    source = notebook(*cells)
    limits = replace(DEFAULT_LIMITS, cell_seconds=changed.get("cell_seconds", 20))
    settings = Settings(limits=limits, check_seconds=changed.get("check_seconds", 20))
    plan = plan_notebook(source, source)
    open_first = court.judge_for_staff(plan, settings, b"seed", seen=ignore).result
    result = court.judge(plan, settings, b"seed")
    assert told(result) == told(open_first)
    return result


def test_messages_and_outputs_hold_no_hidden_input(court: Court) -> None:
    leaky = "seen = []\ndef square(x):\n    seen.append(x)\n    print(x)\n    return None if x == 1234567 else x * x"
    result = judge(
        court,
        solve("square", leaky),
        check("square", "assert square(2) == 4", HIDDEN, points=5),
        scratch("print('later', seen)\nseen"),
        solve("other", "def other():\n    raise ValueError(str(seen))"),
        check("other", "other()", points=1),
    )
    assert result.checks[0].verdict is Verdict.WRONG
    assert result.checks[0].message == "square is off for …"
    shown = json.dumps([[cell.outputs for cell in result.cells], [each.message for each in result.checks]])
    assert "1234567" not in shown
    assert "later [2]" in shown


def test_a_visible_check_tells_all(court: Court) -> None:
    result = judge(
        court, solve("square", "def square(x):\n    return x / 0"), check("square", "assert square(2) == 4")
    )
    message = result.checks[0].message
    assert "line 1: assert square(2) == 4" in message
    assert "ZeroDivisionError: division by zero" in message
    assert "return x / 0" in message


def test_a_students_error_in_a_hidden_test_shows_only_its_builtin_kind(court: Court) -> None:
    code = "def square(x):\n    if x == 2: return 4\n    raise type(f'Got{x}', (KeyError,), {})(x)"
    result = judge(court, solve("square", code), check("square", "assert square(2) == 4", HIDDEN))
    assert "KeyError" in result.checks[0].message
    assert "1234567" not in result.checks[0].message


def test_hidden_tests_are_nowhere_in_the_box(court: Court) -> None:
    search = (
        "import gc\nfound = [x for x in gc.get_objects() if isinstance(x, (str, bytes)) and '123' '4567' in str(x)]\n"
        "found += [p for p in __import__('sys').argv if 'hidden' in p]\nprint('FOUND', found)"
    )
    result = judge(
        court,
        scratch(search),
        solve("square", "def square(x): return x * x"),
        check("square", "", HIDDEN),
        scratch(search),
    )
    assert "FOUND []" in json.dumps([cell.outputs for cell in result.cells])


def test_checks_see_the_notebook_as_it_is_at_their_place(court: Court) -> None:
    result = judge(
        court,
        solve("f", "def f(): return 1"),
        check("first", "assert f() == 1"),
        solve("f-again", "def f(): return 2"),
        check("second", "assert f() == 2"),
    )
    assert [each.verdict for each in result.checks] == [Verdict.OK, Verdict.OK]


def test_a_name_of_a_check_is_the_students_again_once_a_cell_of_the_source_binds_it(court: Court) -> None:
    result = judge(
        court,
        check("first", "x = 3\nassert x == 3"),
        solve("x", "x = 5"),
        check("second", "assert x == 5"),
    )
    assert result.checks[1].verdict is Verdict.OK


def test_the_students_np_is_not_the_checks_np(court: Court) -> None:
    source = notebook(
        given("import numpy as np"), solve("f", "def f(): return 1"), check("f", "assert np.allclose(f(), 2)")
    )
    forged = notebook(
        given("import numpy as np"),
        solve("f", "def f(): return 1\nclass np:\n    allclose = staticmethod(lambda *a: True)"),
        check("f", "assert np.allclose(f(), 2)"),
    )
    result = court.judge(plan_notebook(forged, source), Settings(), b"seed")
    assert result.checks[0].verdict is Verdict.WRONG


def test_a_failed_cell_does_not_stop_the_next(court: Court) -> None:
    result = judge(court, scratch("1 / 0"), solve("f", "def f(): return 1"), check("f", "assert f() == 1"))
    assert result.points == 1
    assert result.cells[0].outputs[0]["ename"] == "ZeroDivisionError"


def test_a_crash_costs_the_question_it_happened_in(court: Court) -> None:
    result = judge(
        court,
        solve("a", "def a(): return 1"),
        check("a", "assert a() == 1"),
        solve("b", "import os\nos._exit(0)"),
        check("b", "b()"),
        solve("c", "def c(): return a() + 1"),
        check("c", "assert c() == 2"),
    )
    assert [each.verdict for each in result.checks] == [Verdict.OK, Verdict.CRASH, Verdict.OK]
    assert "ended its own process" in result.checks[1].message


def test_a_crash_in_a_check_costs_that_check(court: Court) -> None:
    code = "import os\nstate = []\ndef f(x):\n    if x == 1: os.kill(os.getpid(), 9)\n    return x"
    result = judge(
        court,
        solve("f", code),
        check("one", "f(1)"),
        check("two", "assert f(2) == 2"),
        check("three", "assert f(3) == 3"),
    )
    assert [each.verdict for each in result.checks] == [Verdict.CRASH, Verdict.OK, Verdict.OK]


@pytest.mark.slow
def test_timeout_is_not_a_wrong_answer_and_costs_one_question(court: Court) -> None:
    result = judge(
        court,
        solve("a", "while True: pass"),
        check("a", "a()"),
        solve("b", "def b(x):\n    while x: pass\n    return 1"),
        check("b", "assert b(1) == 1"),
        check("b-fine", "assert b(0) == 1"),
        cell_seconds=2,
        check_seconds=2,
    )
    assert [each.verdict for each in result.checks] == [Verdict.TIMEOUT, Verdict.TIMEOUT, Verdict.OK]


@pytest.mark.slow
def test_memory_is_told_by_the_kernels_counter_or_by_the_error(court: Court) -> None:
    result = judge(
        court,
        solve("a", "def a():\n    return bytearray(3 << 30)"),
        check("a", "a()"),
        check("b", "assert 1 == 1"),
    )
    assert result.checks[0].verdict in (Verdict.MEMORY, Verdict.ERROR)
    assert result.checks[1].verdict is Verdict.OK


def test_the_same_seed_draws_the_same_inputs_and_another_seed_others(court: Court) -> None:
    source = notebook(solve("f", "def f(x): return x"), check("f", "award(float(f(rng.random())))", points=1))
    plan = plan_notebook(source, source)
    points = [court.judge(plan, Settings(), seed, open_pass=False).points for seed in (b"a", b"a", b"b")]
    assert points[0] == points[1] != points[2]


def test_nothing_of_one_submission_is_left_for_the_next(court: Court) -> None:
    mark = "import pathlib\nfor folder in ('/tmp', '/dev/shm'):\n    pathlib.Path(folder, 'mark').write_text('x')\ndef f(): return 1"
    look = "import os\nfound = [p for d in ('/tmp', '/dev/shm') for p in os.listdir(d) if p == 'mark']\nprint('FOUND', found)"
    judge(court, solve("f", mark), check("f", "assert f() == 1"))
    result = judge(court, scratch(look))
    assert "FOUND []" in json.dumps(result.cells[0].outputs)


def test_what_a_visible_check_binds_is_not_there_when_hidden_ones_begin(court: Court) -> None:
    hidden = "try:\n    late\nexcept NameError:\n    pass\nelse:\n    raise AssertionError"
    result = judge(
        court,
        solve("one", "def one(): return 1"),
        check("early", "", hidden),
        check("late", "late = one()"),
    )
    assert [each.verdict for each in result.checks] == [Verdict.OK, Verdict.OK]


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_how_much_a_visible_check_draws_does_not_decide_what_a_hidden_one_gets(
    court: Court, library: str
) -> None:
    draw = {"numpy": "numpy.random.rand()", "torch": "torch.rand(())"}[library]

    def drawn(number: int) -> float:
        result = judge(
            court,
            given(f"import {library}"),
            solve("number", f"def number(): return {number}"),
            check("hidden", "", f"award(float({draw}))"),
            check("seen", f"for _ in range(number()): {draw}"),
        )
        return result.checks[0].points

    assert 0 < drawn(1) == drawn(5)


def test_a_visible_judging_is_the_open_pass_alone(court: Court) -> None:
    source = notebook(
        solve("square", "def square(x):\n    return 4"),
        check("square", "assert square(2) == 4", HIDDEN),
        check("square-one", "assert square(1) == 1, 'one'"),
    )
    told: list[tuple[int, int]] = []
    plan = plan_notebook(source, source)
    result = court.judge_visible(plan, Settings(), b"", progress=lambda *how_far: told.append(how_far))
    assert [each.verdict for each in result.checks] == [Verdict.OK, Verdict.WRONG]
    assert "AssertionError: one" in result.checks[1].message
    assert told == [(n, len(plan.steps)) for n in range(1, len(plan.steps) + 1)]


def test_a_court_that_is_closed_judges_nobody() -> None:
    source = notebook(solve("square", "def square(x):\n    return x"), check("square", "assert square(2)"))
    result = Court().judge_visible(plan_notebook(source, source), Settings(), b"")
    assert [each.verdict for each in result.checks] == [Verdict.FAULT]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
@pytest.mark.parametrize("speed", [True, False])
def test_work_of_an_assignment_that_races_keeps_off_the_lanes(
    court: Court, monkeypatch: pytest.MonkeyPatch, speed: bool
) -> None:
    """Others of its batch race meanwhile. The failed check beside it spares the race."""
    monkeypatch.setattr("autograder.judge.court.seat", lambda: contextlib.nullcontext(None))
    before = os.sched_getaffinity(0)
    result = judge(
        court,
        solve("mask", "import os\nprint(*sorted(os.sched_getaffinity(0)))\ndef mask(n):\n    return n"),
        check("mask", "assert mask(1) == 2"),
        check("mask-speed", "race(mask, lambda rng: (1,), bands={1: 1})", speed=speed),
    )
    seen = set(map(int, result.cells[0].outputs[0]["text"].split()))
    assert seen == (set(work_cores()) if speed else before)
    assert os.sched_getaffinity(0) == before


def test_a_judge_and_its_box_share_a_seat(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    core = max(os.sched_getaffinity(0))
    monkeypatch.setattr("autograder.judge.court.seat", lambda: contextlib.nullcontext(core))
    result = judge(
        court,
        solve("mask", "import os\ndef mask(): return list(os.sched_getaffinity(0))"),
        check("mask", f"import os\nassert mask() == list(os.sched_getaffinity(0)) == [{core}]"),
        solve("wide", "os.sched_setaffinity(0, range(os.cpu_count()))"),
        check("wide", f"assert mask() == {sorted(os.sched_getaffinity(0))}"),
    )
    assert [each.verdict for each in result.checks] == [Verdict.OK, Verdict.OK]


def test_a_notebook_that_races_on_its_own_is_judged_like_any_other(court: Court) -> None:
    racing = (
        "from autograder.student import race\n"
        "def twice(x):\n    return 2 * x\n"
        "race(twice, lambda x: x + x, lambda rng: (float(rng.random()),), seconds=0.05)"
    )
    source = notebook(solve("twice", racing), check("twice", "assert twice(2) == 4"))
    result = court.judge(plan_notebook(source, source), Settings(), b"seed")
    assert result.cells[0].status is Verdict.OK
    assert "times the baseline's speed" in str(result.cells[0].outputs)
    assert [each.verdict for each in result.checks] == [Verdict.OK]
