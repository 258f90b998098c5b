"""Nobody loses points by a regrading that lowers nobody's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.gradebook import Aside, Gradebook, Policy
from autograder.gradebook.regrading import Keep, Ledger, carried_check, plan_revision, publish, read_ledger
from autograder.gradebook.regrading.plan import Held, revise
from autograder.gradebook.regrading.publishing import read_held
from autograder.judge import CheckResult, Verdict
from tests.autograder.gradebook.gradings import POINTS, grading, open_gradebook
from tests.autograder.gradebook.regrading.dumps import WARRANT, grades, mark, scores
from tests.autograder.gradebook.regrading.questions import (
    NEW_MAX,
    NEW_POINTS,
    drafted,
    judged,
    new_result,
    old_result,
    other_questions,
    revision,
)
from tests.autograder.notebooks import two_questions

LOWER = Keep.NEVER_LOWER


def held(book: Gradebook) -> Ledger:
    with book.database.reading() as session:
        return read_ledger(session, "layers")


def test_who_would_lose_points_keeps_the_earlier_attempt(book: Gradebook, graded: Path) -> None:
    source, ledger = two_questions(), held(book)
    made = revision(
        source,
        drafted(ledger, source, old_result(check_relu=0)),
        drafted(ledger, source, old_result(), student="bob"),
        keep=LOWER,
    )
    plan = plan_revision(book, made)
    publish(book, made, plan, WARRANT)
    assert scores(graded) == {"ada": (12, 15), "bob": (12, 15), "cid": (0, 15)}
    assert [(each.number, each.counts, each.aside) for each in book.attempts("ada")] == [
        (1, True, None),
        (2, False, Aside.LOWER),
    ]
    assert {each.student for each in plan.moves if each.kept} == {"ada"}
    assert not plan_revision(book, made).added


def test_what_was_set_aside_never_counts_later(book: Gradebook, graded: Path) -> None:
    source, ledger = two_questions(), held(book)
    made = revision(source, drafted(ledger, source, old_result(check_relu=0)), keep=LOWER)
    publish(book, made, plan_revision(book, made), WARRANT)
    book.record_attempt(grading(None, minutes=1, fault="no box started"))
    assert book.counting_attempt("ada", "layers") == book.attempts("ada")[0]
    book.record_attempt(grading(old_result(check_layer=0), minutes=2))
    assert scores(graded)["ada"] == (6, 15)


def test_in_other_questions_the_earlier_points_are_carried_over(
    book: Gradebook, graded: Path, layout: Ledger
) -> None:
    """relu's 4 of 4 points are 8 of 8; layer's stay; scale is new, and counts as it is judged now."""
    source = other_questions()
    made = revision(
        source, drafted(layout, source, new_result(check_relu=0, check_scale=2)), layout=layout, keep=LOWER
    )
    publish(book, made, plan_revision(book, made), WARRANT)
    assert scores(graded)["ada"] == (8 + 6 + 2, NEW_MAX)
    assert grades(graded)["check-relu"] == (8, None, False)
    first, lower, carried = book.attempts("ada")
    assert (first.counts, lower.aside, lower.points) == (False, Aside.LOWER, 8)
    assert (carried.counts, carried.points, carried.max_points) == (True, 16, 19)
    assert carried.message == "Carried over from attempt 1, which is worth more."


def test_marks_by_hand_are_part_of_the_worth(book: Gradebook, graded: Path) -> None:
    """ada's relu was given 4 by hand: that the judge takes its points away costs nothing."""
    mark(graded, "check-relu", 4)
    source, ledger = two_questions(), held(book)
    made = revision(source, drafted(ledger, source, old_result(check_relu=0)), keep=LOWER)
    plan = plan_revision(book, made)
    assert [each.kept for each in plan.moves] == [False] * 3
    publish(book, made, plan, WARRANT)
    assert scores(graded)["ada"] == (12, 15)


def test_lateness_is_part_of_the_worth(book: Gradebook, graded: Path) -> None:
    """The earlier attempt was on time by the due date of then; it isn't made late by one of now."""
    source, ledger = two_questions(), held(book)
    made = revision(
        source,
        drafted(ledger, source, old_result()),
        keep=LOWER,
        late=lambda student, at: 60.0,
        penalty=lambda late, points: 5.0,
    )
    publish(book, made, plan_revision(book, made), WARRANT)
    attempt = book.counting_attempt("ada", "layers")
    assert attempt is not None
    assert (attempt.number, attempt.penalty) == (1, 0)


def test_what_cannot_be_read_any_more_keeps_its_points(book: Gradebook, graded: Path, layout: Ledger) -> None:
    source = other_questions()
    made = revision(
        source, drafted(layout, source, None, problem="It is damaged."), layout=layout, keep=LOWER
    )
    publish(book, made, plan_revision(book, made), WARRANT)
    assert scores(graded)["ada"] == (14, NEW_MAX)


@pytest.mark.parametrize(
    ("old", "new", "points"),
    [((4, 4), (0, 8), 8), ((1, 4), (8, 8), 2), ((0, 4), (3, 8), 0), ((0, 0), (3, 8), 3), ((4, 4), (0, 0), 0)],
)
def test_a_check_is_carried_over_in_proportion(
    old: tuple[float, float], new: tuple[float, float], points: float
) -> None:
    before = CheckResult("c", "q", Verdict.OK, *old)
    now = CheckResult("c", "q", Verdict.WRONG, *new)
    carried = carried_check(before, now)
    assert (carried.points, carried.max_points) == (points, new[1])
    assert carried_check(None, now) is now


@pytest.fixture(scope="module")
def class_of_three(tmp_path_factory: pytest.TempPathFactory, released_course: Path) -> Held:
    """ada has one submission, bob two, cid one that can't be read; as the gradebook holds it."""
    course = shutil.copytree(released_course, tmp_path_factory.mktemp("lower") / "course")
    with open_gradebook(course) as book:
        book.record_attempt(grading(old_result(check_relu=3)))
        book.record_attempt(grading(old_result(), student="bob"))
        book.record_attempt(grading(old_result(check_layer=1.5), student="bob", minutes=3), Policy.BEST)
        book.record_attempt(grading(problem="layers.ipynb is empty.", student="cid"))
    mark(course, "check-layer", 2, "bob")
    with open_gradebook(course) as book, book.database.reading() as session:
        return read_held(session, "layers")


PART = st.sampled_from([0.0, 0.25, 0.5, 1.0])
SUBMISSIONS = (("ada", 0), ("bob", 0), ("bob", 3), ("cid", 0))


@settings(max_examples=150)
@given(data=st.data(), policy=st.sampled_from(Policy), anew=st.booleans())
def test_whatever_is_judged_nobody_loses(
    class_of_three: Held, layout: Ledger, data: st.DataObject, policy: Policy, anew: bool
) -> None:
    """Held against each student's grade before, in the questions that are there before and after."""
    source = other_questions() if anew else two_questions()
    wanted, ledger = (NEW_POINTS, layout) if anew else (POINTS, class_of_three.ledger)
    judgements = [
        drafted(
            ledger,
            source,
            judged(wanted, {name: most * data.draw(PART) for name, (_, most) in wanted.items()}),
            student=student,
            minutes=minutes,
        )
        for student, minutes in SUBMISSIONS
    ]
    made = revision(source, *judgements, layout=layout if anew else None, policy=policy, keep=LOWER)
    before = {each.student: each for each in revise(class_of_three, made).moves}
    for student, move in before.items():
        assert move.before is not None and move.after is not None
        kept = {cell: points or 0.0 for cell, points in move.before.cells.items() if cell in move.after.cells}
        by_hand = {("layers", "check-layer")} if student == "bob" else set()
        worth = sum(
            points * 2 if anew and cell[1] == "check-relu" and cell not in by_hand else points
            for cell, points in kept.items()
        )
        if policy is Policy.LAST and student == "bob":
            continue  # what counted before was chosen by another policy
        assert move.after.total >= worth - 1e-9, student
