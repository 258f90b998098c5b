"""A kill from outside is no crash of the student's; one's own kill is, for it comes again."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from autograder.judge import Court, NotebookResult, Settings, Verdict, plan_notebook
from autograder.judge.boxes import PassBoxes
from autograder.judge.desk import JudgeDesk
from autograder.judge.hearing import STRAYS_IN_A_PASS, Stray, Strays
from autograder.sandbox import Box, BoxSpec
from autograder.sandbox.accounting import signal_children
from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve, told

GROW = "def grow(x):\n    return x + 1"
SHOUT = "print('hello')"
RACE = "race(grow, lambda rng: (float(rng.random()),), {0.001: 3}, budget=0.5)"


def judge(court: Court, *cells: Any) -> NotebookResult:
    source = notebook(*cells)
    return court.judge(plan_notebook(source, source), Settings(), b"seed")


def honest() -> tuple[Any, ...]:
    """Its second check uses what its first one kept of the box."""
    return (
        given("import math"),
        scratch(SHOUT),
        solve("grow", GROW),
        check("kept", "kept = grow", "assert kept(1) == 2", points=2, question="grow"),
        check("used", "assert kept(2) == 3", "assert kept(3) == 4", points=3, question="grow"),
        scratch("class Thing: pass\nprint(Thing.__name__)"),
    )


class Killer:
    """Sees the boxes of one name opened, and kills what is in them, from outside."""

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.left = most
        self.boxes: list[Box] = []

    def strike(self) -> None:
        """The newest box's own program gets a SIGKILL."""
        if self.left and self.boxes:
            self.left -= 1
            signal_children(self.boxes[-1].init_pid, signal.SIGKILL, most=1)


def killing(
    monkeypatch: pytest.MonkeyPatch, operation: str, turn: int, *, most: int = 1, name: str = "student"
) -> Killer:
    """Kills just before the judge is asked for the ``turn``-th operation of this kind, and each after that."""
    killer = Killer(name, most)
    opened = PassBoxes.open
    asked = getattr(JudgeDesk, operation)
    count = 0

    def ask(self: object, *arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count >= turn:
            killer.strike()
        return asked(self, *arguments, **named)

    def watched(self: PassBoxes, spec: BoxSpec) -> Box:
        box = opened(self, spec)
        if spec.name == killer.name:
            killer.boxes.append(box)
        return box

    monkeypatch.setattr(PassBoxes, "open", watched)
    monkeypatch.setattr(JudgeDesk, operation, ask)
    return killer


@pytest.mark.parametrize("operation", ["cell", "check"])
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_stray_kill_changes_nothing(
    court: Court, monkeypatch: pytest.MonkeyPatch, operation: str, turn: int
) -> None:
    undisturbed = told(judge(court, *honest()))
    assert [verdict for _, verdict, _, _ in undisturbed[0]] == [Verdict.OK] * 2
    killer = killing(monkeypatch, operation, turn, most=2)
    assert told(judge(court, *honest())) == undisturbed
    assert killer.left == 0


def test_ones_own_kill_comes_again_and_is_a_crash(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    killer = killing(monkeypatch, "cell", 1, most=0)
    suicide = "import os, signal\ndef grow(x):\n    os.kill(os.getpid(), signal.SIGKILL)"
    result = judge(court, solve("grow", suicide), check("grow", "assert grow(1) == 2", points=2))
    assert [each.verdict for each in result.checks] == [Verdict.CRASH]
    assert len(killer.boxes) == 6  # three in each pass


def test_who_crashes_otherwise_is_judged_once(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    killer = killing(monkeypatch, "cell", 1, most=0)
    exits = "import os\ndef grow(x):\n    os._exit(9)"
    result = judge(court, solve("grow", exits), check("grow", "assert grow(1) == 2", points=2))
    assert [each.verdict for each in result.checks] == [Verdict.CRASH]
    assert len(killer.boxes) == 2


@pytest.mark.lane
def test_a_race_that_a_stray_kill_broke_is_run_again(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = (solve("grow", GROW), check("grow", "assert grow(1) == 2", points=1), race())
    killer = killing(monkeypatch, "check", 4)  # two checks in the open pass, one in the closed, the race
    result = judge(court, *cells)
    assert [(each.verdict, each.points) for each in result.checks] == [(Verdict.OK, 1), (Verdict.OK, 3)]
    assert killer.left == 0


@pytest.mark.lane
def test_the_end_of_the_references_box_is_no_fault_of_the_students(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = (solve("grow", GROW), check("grow", "assert grow(1) == 2", points=1), race())
    killer = killing(monkeypatch, "check", 3, name="reference")
    result = judge(court, *cells)
    assert [(each.verdict, each.points) for each in result.checks] == [(Verdict.OK, 1), (Verdict.OK, 3)]
    assert killer.left == 0


def race() -> Any:
    return check("race", RACE, points=3, question="grow", speed=True)


def test_a_program_that_kills_itself_elsewhere_each_time_is_not_judged_for_ever() -> None:
    strays = Strays()
    for step in range(STRAYS_IN_A_PASS):
        with pytest.raises(Stray):
            strays.note(step)
    strays.note(STRAYS_IN_A_PASS)


def test_a_race_that_begins_again_has_other_inputs() -> None:
    strays = Strays()
    seeds = [strays.seed(b"seed")]
    for step in range(STRAYS_IN_A_PASS):
        with pytest.raises(Stray):
            strays.note(step)
        seeds.append(strays.seed(b"seed"))
    assert seeds[0] == b"seed" and len(set(seeds)) == len(seeds)
