"""Mutated notebooks come to a clear end; ``python -m tests.fuzz.notebooks`` runs more of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograder.errors import SubmissionError
from autograder.gradebook.folders import notebook_bytes
from autograder.judge import Court, plan_notebook
from autograder.repair import read_notebook, repair
from tests.fuzz.mutants import mutant, source
from tests.fuzz.notebooks import INTERNAL, Pipeline, read_record, released_course

SOURCE = source()
# Each broke something once: points of 400 digits, names of attachments that no file takes.
FOUND = (11, 454, 471)


@settings(max_examples=200)
@example(57441)  # all 5,000 cells that a notebook may have, and none of the course's
@example(760379194858)  # a list that would hold itself
@given(st.integers(0, 1 << 40))
def test_a_mutant_is_repaired_and_planned_or_refused_in_plain_words(seed: int) -> None:
    data = mutant(seed).data
    try:
        repaired = repair(SOURCE, data, name="target.ipynb")
    except SubmissionError as error:
        assert not INTERNAL.search(str(error))
        assert str(error).startswith("target.ipynb ")
        return
    plan = plan_notebook(repaired.notebook, SOURCE)
    assert [step.points for step in plan.checks] == [6, 4]
    assert [step.source for step in plan.checks] == [SOURCE.cells[2].source, SOURCE.cells[4].source]
    assert read_notebook(notebook_bytes(repaired.notebook)).cells


def test_the_same_seed_makes_the_same_mutant() -> None:
    assert [mutant(n) for n in range(50)] == [mutant(n) for n in range(50)]
    assert len({mutant(n).data for n in range(50)}) > 45


@pytest.fixture(scope="module")
def pipeline(court: Court, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    opened = Pipeline(released_course(tmp_path_factory.mktemp("fuzz") / "course"), court)
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*FOUND, *range(5000, 5017)])
def test_a_mutant_goes_through_everything(pipeline: Pipeline, seed: int) -> None:
    assert pipeline.run(seed).broken == ()


def test_a_record_is_picked_up_where_it_ended(tmp_path: Path) -> None:
    """The last line of a run that was killed may be half written."""
    record = tmp_path / "record.jsonl"
    assert read_record(record) == []
    record.write_text('{"seed": 1, "broken": []}\n{"seed": 2, "bro')
    assert [each["seed"] for each in read_record(record)] == [1]
