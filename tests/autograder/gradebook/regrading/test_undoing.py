"""The last regrading is taken back whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader.api import Base

from autograder.errors import AuthorError
from autograder.gradebook import Aside, Gradebook, State, mend, read_standings
from autograder.gradebook.feedback import write_feedback
from autograder.gradebook.folders import autograded_folder
from autograder.gradebook.regrading import Ledger, Revision, plan_revision, publish, regradings, undo
from autograder.gradebook.summary import read_summary
from tests.autograder.conftest import nbgrader
from tests.autograder.gradebook.gradings import grading
from tests.autograder.gradebook.regrading.dumps import WARRANT, grades, mark, scores, tables, theirs
from tests.autograder.gradebook.regrading.questions import (
    NEW_MAX,
    drafted,
    new_result,
    old_result,
    other_questions,
    revision,
)
from tests.autograder.gradebook.regrading.test_never_lower import held
from tests.autograder.notebooks import two_questions


@pytest.fixture
def published(book: Gradebook, layout: Ledger) -> Revision:
    """Other questions, by which ada loses points and eve gets her first grade."""
    source = other_questions()
    made = revision(
        source,
        drafted(layout, source, new_result(check_relu=0)),
        drafted(layout, source, new_result(), student="bob"),
        drafted(layout, source, new_result(), student="eve"),
        layout=layout,
    )
    publish(book, made, plan_revision(book, made), WARRANT)
    return made


def without_students(course: Path) -> dict[str, list[tuple[object, ...]]]:
    """nbgrader's tables but for the list of people, on which those stay who were put there."""
    return {name: rows for name, rows in tables(course, ours=False).items() if name != "student"}


def test_all_is_as_it_was(book: Gradebook, graded: Path, layout: Ledger) -> None:
    mark(graded, "why", 2)
    mark(graded, "check-relu-zero", 1, "bob")
    before, attempts = without_students(graded), book.attempts()
    source = other_questions()
    made = revision(source, drafted(layout, source, new_result(check_relu=0)), layout=layout)
    publish(book, made, plan_revision(book, made), WARRANT)
    assert without_students(graded) != before
    undo(book, "layers", WARRANT)
    assert without_students(graded) == before
    kept = book.attempts()
    assert [each for each in kept if each.aside is None] == list(attempts)
    assert [(each.student, each.number) for each in kept if each.aside is Aside.UNDONE] == [("ada", 2)]


def test_all_tables_of_nbgraders_are_compared(graded: Path) -> None:
    assert {"grade", "comment", "base_cell", "submitted_notebook"} < set(without_students(graded))
    assert set(Base.metadata.tables) <= {*tables(graded, ours=False)}


def test_who_was_graded_first_by_it_is_ungraded_again(
    book: Gradebook, graded: Path, published: Revision
) -> None:
    (autograded_folder(graded, "eve", "layers")).mkdir(parents=True)
    undo(book, "layers", WARRANT)
    mend(book, "layers")
    assert set(scores(graded)) == {"ada", "bob", "cid"}
    states = {each.student: each.state for each in read_standings(book)}
    assert states["eve"] is State.PENDING
    assert not autograded_folder(graded, "eve", "layers").exists()
    eve = book.attempts("eve")[0]
    assert not book.is_graded("eve", "layers", eve.sha256, eve.submitted, eve.source_version)


def test_feedback_is_of_the_earlier_attempt(book: Gradebook, graded: Path) -> None:
    source = two_questions()
    made = revision(source, drafted(held(book), source, old_result(check_relu=0)))
    publish(book, made, plan_revision(book, made), WARRANT)
    undo(book, "layers", WARRANT)
    (page,) = write_feedback(book, "ada", "layers")
    told = read_summary((page.parent / "result.json").read_bytes())
    assert (told.attempt, told.points) == (1, 12)
    assert {each.student: each.attempt for each in read_standings(book)}["ada"] == 1


def test_marks_that_people_gave_since_stay(book: Gradebook, graded: Path, published: Revision) -> None:
    mark(graded, "why", 1.5)
    mark(graded, "check-layer", 5)
    undo(book, "layers", WARRANT)
    assert grades(graded)["why"] == (None, 1.5, False)
    assert grades(graded)["check-layer"] == (6, 5, False)
    assert scores(graded)["ada"] == (4 + 2 + 5 + 1.5, 15)


def test_not_where_people_have_marked_the_new_questions(
    book: Gradebook, graded: Path, published: Revision
) -> None:
    mark(graded, "check-scale", 1)
    before = tables(graded, ours=True)
    with pytest.raises(AuthorError, match="people have marked answers to layers/check-scale"):
        undo(book, "layers", WARRANT)
    assert tables(graded, ours=True) == before


def test_not_where_submissions_were_graded_since(book: Gradebook, graded: Path, published: Revision) -> None:
    book.record_attempt(grading(None, student="ada", minutes=1, fault="no box", source=other_questions()))
    book.record_attempt(grading(new_result(), student="dan", source=other_questions()))
    with pytest.raises(AuthorError, match=r"1 submissions were graded after .*\(dan\)"):
        undo(book, "layers", WARRANT)
    assert scores(graded)["ada"] == (11, NEW_MAX)


@pytest.mark.slow
def test_not_where_other_questions_were_released_since(
    book: Gradebook, graded: Path, published: Revision
) -> None:
    with theirs(graded) as opened:
        opened.find_grade_cell("check-scale", "layers", "layers").max_score = 7
    with pytest.raises(AuthorError, match="other questions were released after the regrading"):
        undo(book, "layers", WARRANT)


def test_one_after_the_other_and_no_more(book: Gradebook, graded: Path, published: Revision) -> None:
    before = without_students(graded)
    source = other_questions()
    again = revision(source, drafted(held(book), source, new_result(), seconds=5))
    publish(book, again, plan_revision(book, again), WARRANT)
    assert scores(graded)["ada"] == (19, NEW_MAX)
    undo(book, "layers", WARRANT)
    assert without_students(graded) == before
    undo(book, "layers", WARRANT)
    assert scores(graded)["ada"] == (12, 15)
    with pytest.raises(AuthorError, match="no regrading of layers was published"):
        undo(book, "layers", WARRANT)
    assert [(each.undoes, each.undone) for each in regradings(book)] == [
        (None, True),
        (None, True),
        (2, False),
        (1, False),
    ]


def test_what_was_taken_back_can_be_published_again(
    book: Gradebook, graded: Path, published: Revision
) -> None:
    there = without_students(graded)
    undo(book, "layers", WARRANT)
    publish(book, published, plan_revision(book, published), WARRANT)
    assert scores(graded)["ada"] == (11, NEW_MAX)
    assert len(there["grade"]) == len(without_students(graded)["grade"])
    assert [each.counts for each in book.attempts("ada")] == [False, False, True]


@pytest.mark.slow
def test_a_student_who_was_removed_meanwhile_stays_removed(
    book: Gradebook, graded: Path, published: Revision
) -> None:
    nbgrader(graded, "db", "student", "remove", "bob", "--force")
    undo(book, "layers", WARRANT)
    assert scores(graded) == {"ada": (12, 15), "cid": (0, 15)}
