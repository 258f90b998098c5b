"""Each hostile submission gets what it deserves, in the real sandbox, through the real judge."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from autograder.judge import Court, NotebookResult, Settings, Verdict, plan_notebook
from autograder.sandbox import DEFAULT_LIMITS
from tests.autograder.target import REFERENCE, STUB, Attack, assignment, attacks

SETTINGS = Settings(
    limits=replace(DEFAULT_LIMITS, cell_seconds=10, memory_mb=256, processes=64, output_kb=64),
    check_seconds=5,
)


def judged(court: Court, submission: object) -> NotebookResult:
    return court.judge(plan_notebook(submission, assignment(REFERENCE)), SETTINGS, b"seed")


def words_for_the_student(result: NotebookResult) -> str:
    """Everything of a result that a feedback page may show."""
    outputs = [cell.outputs for cell in result.cells]
    return json.dumps([outputs, [check.message for check in result.checks]])


@pytest.mark.slow
@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.name)
def test_attack_gets_what_it_deserves(court: Court, attack: Attack) -> None:
    result = judged(court, attack.submission())
    assert result.points == attack.mark
    assert result.verdict is not Verdict.FAULT
    if attack.verdict is not None:
        assert result.verdict == attack.verdict
    words = words_for_the_student(result)
    assert 'FOUND: ["' not in words and "FOUND: ['" not in words
    if attack.leak is not None:
        assert attack.leak not in words
    assert len(words) < 400_000


def test_honest_answers_earn_all_and_the_stub_nothing(court: Court) -> None:
    assert judged(court, assignment(REFERENCE)).points == 10
    assert judged(court, assignment(STUB)).points == 0


def test_there_are_attacks() -> None:
    assert len(attacks()) >= 20
