"""Each forgery of memory gets what its function deserves, in the real sandbox, through the whole pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.judge import Court
from autograder.sandbox.policy import this_host
from tests.autograder.attack import FOLDER, Attack, attacks
from tests.autograder.memory_target import AMPLE, LEAN, memory_assignment
from tests.autograder.pipeline import Pipeline, open_pipeline
from tests.autograder.speed_target import CHECK_SECONDS
from tests.autograder.test_attacks import files_of, require_deserts

FORGERIES = attacks(FOLDER / "memory")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.lane,
    pytest.mark.skipif(
        this_host().place is None, reason="nothing counts a box's memory without a control group"
    ),
]


@pytest.fixture(scope="module")
def pipeline(court: Court, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with open_pipeline(
        tmp_path_factory.mktemp("weighed"), court, memory_assignment(LEAN), CHECK_SECONDS
    ) as opened:
        yield opened


@pytest.mark.parametrize("attack", FORGERIES, ids=lambda attack: attack.name)
def test_forgery_gets_what_its_function_deserves(pipeline: Pipeline, attack: Attack) -> None:
    require_deserts(pipeline, attack, attack.files(memory_assignment))


@pytest.mark.parametrize(("answer", "points"), [(LEAN, 3), (AMPLE, 1)], ids=["lean", "ample"])
def test_honest_answers_get_what_they_deserve(
    pipeline: Pipeline, answer: dict[str, str], points: float
) -> None:
    assert pipeline.hand_in("honest", files_of(memory_assignment(answer))).attempt.points == points


def test_no_forgery_is_meant_to_gain_anything() -> None:
    assert {attack.mark for attack in FORGERIES} == {1}
