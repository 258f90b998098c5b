"""Killed at any moment, a regrading and its taking back are in the gradebook whole or not at all."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.gradebook import Gradebook
from autograder.gradebook.regrading import Ledger, Revision, ledger, plan_revision, publish, publishing, undo
from tests.autograder.faults.test_recording import in_a_child, killed_at
from tests.autograder.gradebook.gradings import open_gradebook
from tests.autograder.gradebook.regrading.dumps import WARRANT, scores, tables
from tests.autograder.gradebook.regrading.questions import (
    NEW_MAX,
    drafted,
    new_result,
    other_questions,
    revision,
)

POINTS = {
    "before anything is written": killed_at(publishing, "read_ledger"),
    "while rows are written": killed_at(ledger, "_updates"),
    "when all rows are written": killed_at(publishing, "write", after=True),
    "before the commit": killed_at(publishing, "regrading", after=True),
}


def others(layout: Ledger) -> Revision:
    source = other_questions()
    judgements = [
        drafted(layout, source, new_result(check_relu=0)),
        drafted(layout, source, new_result(), student="bob"),
        drafted(layout, source, new_result(), student="eve"),
    ]
    return revision(source, *judgements, layout=layout)


def killed(course: Path, point: Callable[[], None], work: Callable[[Gradebook], object]) -> None:
    """Runs ``work`` in a process of its own, which is killed at a point of it."""

    def fatal() -> None:
        with open_gradebook(course) as book:
            point()
            work(book)

    assert in_a_child(fatal) == -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_publishing(graded: Path, layout: Ledger, point: str) -> None:
    made = others(layout)
    with open_gradebook(graded) as book:
        plan = plan_revision(book, made)
    before = tables(graded, ours=True)
    killed(graded, POINTS[point], lambda book: publish(book, made, plan, WARRANT))
    assert tables(graded, ours=True) == before
    with open_gradebook(graded) as book:
        publish(book, made, plan_revision(book, made), WARRANT, plan.seen)
    assert scores(graded) == {
        "ada": (11, NEW_MAX), "bob": (19, NEW_MAX), "cid": (0, NEW_MAX), "eve": (19, NEW_MAX)
    }  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_taking_back(graded: Path, layout: Ledger, point: str) -> None:
    with open_gradebook(graded) as book:
        publish(book, others(layout), plan_revision(book, others(layout)), WARRANT)
    before = tables(graded, ours=True)
    killed(graded, POINTS[point], lambda book: undo(book, "layers", WARRANT))
    assert tables(graded, ours=True) == before
    with open_gradebook(graded) as book:
        undo(book, "layers", WARRANT)
    assert scores(graded) == {"ada": (12, 15), "bob": (6, 15), "cid": (0, 15)}
