"""Each hostile submission gets what it deserves, in the real sandbox, through the whole pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import nbformat
import pytest

from autograder.errors import SubmissionError
from autograder.gradebook import AttemptState
from autograder.judge import Court, Verdict
from autograder.sandbox.policy import this_host
from tests.autograder.attack import FOUND, KINDS, Attack, attacks
from tests.autograder.pipeline import Pipeline, Traces, errors, open_pipeline, printed
from tests.autograder.target import NAME, REFERENCE, STUB, assignment

# A cell that ends in one of these attacked nothing.
STUMBLES = ("NameError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError")
MOST_WORDS = 600_000


@pytest.fixture(scope="module")
def pipeline(court: Court, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One course for all of them: what one attacker does, the next would meet."""
    with open_pipeline(tmp_path_factory.mktemp("attacked"), court) as opened:
        yield opened


def honest(pipeline: Pipeline, student: str) -> float:
    """The points of a right submission now."""
    return pipeline.hand_in(student, files_of(assignment(REFERENCE))).attempt.points


def files_of(made: Any) -> dict[str, bytes]:
    return {f"{NAME}.ipynb": nbformat.writes(made).encode()}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.name)
def test_attack_gets_what_it_deserves(pipeline: Pipeline, attack: Attack) -> None:
    require_deserts(pipeline, attack, attack.files())
    if attack.kind == "harm":
        assert honest(pipeline, f"beside.{attack.name}") == 10


def require_deserts(pipeline: Pipeline, attack: Attack, files: Mapping[str, bytes]) -> None:
    """Hands it in, and fails where it gets, finds or leaves anything that it shouldn't."""
    traces = Traces()
    try:
        got = pipeline.hand_in(attack.name, files)
    except SubmissionError as refusal:
        assert attack.refused is not None and attack.refused in str(refusal)
        return
    attempt = got.attempt
    assert attempt.state is not AttemptState.FAULT, got.grading
    assert attempt.points == attack.mark, str([each.checks for each in attempt.notebooks])
    if attack.refused is not None:
        assert attempt.state is AttemptState.UNREADABLE and attack.refused in got.problem
    wanted = attack.verdict if this_host().place else attack.ungrouped or attack.verdict
    if wanted is not None:
        assert attempt.verdict == wanted
    assert attack.stumbles or not set(errors(got)) & set(STUMBLES)
    assert set(FOUND.findall(printed(got))) <= {"[]"}
    assert "FOUND: []" in printed(got) or not attack.must_report, "the attack didn't get as far as its report"
    shown = printed(got) + got.shown
    assert attack.leak is None or attack.leak not in shown
    assert len(shown) < MOST_WORDS
    assert traces.left() == []


def test_honest_answers_earn_all_and_the_stub_nothing(pipeline: Pipeline) -> None:
    assert honest(pipeline, "honest") == 10
    stub = pipeline.hand_in("stub", files_of(assignment(STUB))).attempt
    assert (stub.points, stub.verdict) == (0, Verdict.ERROR)


def test_there_are_attacks_of_every_kind() -> None:
    found = attacks()
    assert len(found) >= 80
    assert {each.kind for each in found} == set(KINDS)
