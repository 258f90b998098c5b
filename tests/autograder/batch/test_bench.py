"""The bench of this host: what visible checks said can be had first, and changes nothing."""

from __future__ import annotations

import nbformat
import pytest

from autograder.batch.bench import LocalBench, Seen
from autograder.judge import Court, NotebookResult, Verdict
from autograder.repair import Repaired
from tests.autograder.target import NAME, REFERENCE, STUB, assignment

SOURCES = {NAME: assignment(REFERENCE)}
WRONG = {**REFERENCE, **dict.fromkeys(list(REFERENCE)[:1], "raise KeyError('mine')")}


def judged(court: Court, answers: dict[str, str], seen: Seen | None) -> NotebookResult:
    files = {f"{NAME}.ipynb": nbformat.writes(assignment(answers)).encode()}
    [graded] = LocalBench(court, seen).judge(SOURCES, files, {NAME: b"seed"})
    assert graded.result is not None
    return graded.result


@pytest.mark.parametrize("answers", [REFERENCE, STUB, WRONG], ids=["right", "stub", "wrong"])
def test_what_is_shown_first_changes_nothing(court: Court, answers: dict[str, str]) -> None:
    said: list[NotebookResult] = []

    def seen(name: str, repaired: Repaired, opened: NotebookResult) -> None:
        assert name == NAME
        said.append(opened)

    at_once, in_two = judged(court, answers, None), judged(court, answers, seen)

    def kept(result: NotebookResult) -> list[object]:
        return [(c.check, c.question, c.verdict, c.points, c.max_points, c.message) for c in result.checks]

    assert kept(in_two) == kept(at_once)
    assert in_two.cells == at_once.cells
    [opened] = said
    assert [each.check for each in opened.checks] == [each.check for each in at_once.checks]
    assert (opened.verdict is Verdict.OK) == (answers is REFERENCE)
    assert in_two.usage == opened.usage
