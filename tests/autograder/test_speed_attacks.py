"""Each forgery of speed gets what its function deserves, in the real sandbox, through the whole pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.judge import Court
from tests.autograder.attack import FOLDER, Attack, attacks
from tests.autograder.pipeline import Pipeline, open_pipeline
from tests.autograder.speed_target import CHECK_SECONDS, FAST, SLOW, speed_assignment
from tests.autograder.test_attacks import files_of, require_deserts

HONEST_FAST, HONEST_SLOW = 3, 1

pytestmark = [pytest.mark.slow, pytest.mark.lane]


@pytest.fixture(scope="module")
def pipeline(court: Court, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with open_pipeline(
        tmp_path_factory.mktemp("raced"), court, speed_assignment(FAST), CHECK_SECONDS
    ) as opened:
        yield opened


def honest(pipeline: Pipeline, student: str, answer: dict[str, str]) -> float:
    return pipeline.hand_in(student, files_of(speed_assignment(answer))).attempt.points


@pytest.mark.parametrize("attack", attacks(FOLDER / "speed"), ids=lambda attack: attack.name)
def test_forgery_gets_what_its_function_deserves(pipeline: Pipeline, attack: Attack) -> None:
    require_deserts(pipeline, attack, attack.files(speed_assignment))
    if attack.kind == "harm":
        assert honest(pipeline, f"beside.{attack.name}", FAST) == HONEST_FAST


def test_honest_answers_get_what_they_deserve(pipeline: Pipeline) -> None:
    assert honest(pipeline, "fast", FAST) == HONEST_FAST
    assert honest(pipeline, "slow", SLOW) == HONEST_SLOW


def test_no_forgery_is_meant_to_gain_anything() -> None:
    assert {attack.mark for attack in attacks(FOLDER / "speed")} <= {HONEST_FAST, HONEST_SLOW}
