"""The neutral grade table: every state is told apart, and only what is graded has a score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook as NbgraderGradebook

from autograder.errors import AuthorError
from autograder.gradebook import Gradebook
from autograder.gradebook.gradetable import Grade, GradeState, StudentKeys, grade_table, items_of
from autograder.judge import Verdict
from course.gradebook import gradebook_url
from tests.autograder.gradebook.gradings import grading, open_gradebook, result
from tests.autograder.gradebook.test_export import BARE, receipt, without_essay

OK, WRONG = Verdict.OK, Verdict.WRONG
ADA = StudentKeys("ada", sis_id="0012", login="ada.l", email="ada@uni.example", full_name="Lovelace, Ada")
TITLES = {"layers": "Layers, from scratch"}


@pytest.fixture
def book(course: Path) -> Iterator[Gradebook]:
    with open_gradebook(course) as opened:
        yield opened


def record(book: Gradebook, student: str = "ada", **fields: object) -> None:
    judged = grading(result(OK, WRONG, OK), submitted=without_essay(), student=student, **fields)  # type: ignore[arg-type]
    book.record_attempt(judged)


def table(book: Gradebook, *keys: StudentKeys, **options: object) -> dict[str, Grade]:
    students = {each.name: each for each in keys}
    found = grade_table(book, "mls", TITLES, students, **options)  # type: ignore[arg-type]
    return {each.student.name: each for each in found}


def test_a_grade_has_its_students_keys_and_what_counts(book: Gradebook) -> None:
    record(book, penalty=1.5, late_seconds=90.0)
    assert table(book, ADA)["ada"] == Grade(
        "mls", "layers", TITLES["layers"], ADA, 8.5, 15, GradeState.GRADED, 90.0, "", 1
    )


def test_states_without_a_score(book: Gradebook) -> None:
    book.record_attempt(grading(result(), student="bea"))  # its essay waits for a person
    book.record_attempt(grading(None, fault="no box started", student="cy"))
    record(book, student="dan")
    record(book, student="eve")
    book.record_attempt(grading(None, minutes=1, fault="no box started", student="dan"))
    found = table(book, ADA, excused={("eve", "layers")})
    assert {name: each.state for name, each in found.items()} == {
        "ada": GradeState.MISSING,
        "bea": GradeState.PENDING,
        "cy": GradeState.FAULT,
        "dan": GradeState.FAULT,
        "eve": GradeState.EXCUSED,
    }
    assert {each.score for each in found.values()} == {None}
    assert found["ada"].maximum == 15
    assert found["bea"].student == StudentKeys("bea")


def test_a_grade_does_not_stand_while_a_newer_submission_waits(book: Gradebook) -> None:
    record(book, minutes=-10)
    book.record_submission(receipt("ada"))
    assert (table(book)["ada"].state, table(book)["ada"].score) == (GradeState.PENDING, None)


def test_zero_and_no_notebook_are_grades(book: Gradebook) -> None:
    book.record_attempt(grading(result(WRONG, WRONG, WRONG), submitted=BARE))
    book.record_attempt(grading(problem="layers.ipynb is empty.", student="bob"))
    found = table(book, with_feedback=True)
    assert [(each.state, each.score) for each in found.values()] == [(GradeState.GRADED, 0.0)] * 2
    assert "layers.ipynb is empty." in found["bob"].feedback


def test_feedback_says_points_words_and_what_people_wrote(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result(OK, WRONG, OK), penalty=1.0))
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        grade = theirs.find_grade("why", "layers", "layers", "ada")
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        theirs.find_comment("why", "layers", "layers", "ada").manual_comment = 'Say why \\ \x1b[31m"zero".'
        theirs.db.commit()
    assert table(book, with_feedback=True)["ada"].feedback.split("\n") == [
        "Attempt 1 counts.",
        "Late: 1 points were taken off.",
        "relu: 4 of 6 points. Words about check-relu-zero.",
        "layer: 6 of 6 points.",
        'why: 2 of 3 points. Say why \\ "zero".',
    ]
    assert table(book)["ada"].feedback == ""


def test_an_assignment_that_was_never_released_is_an_error(book: Gradebook) -> None:
    with pytest.raises(AuthorError, match="mlsys release loops"):
        grade_table(book, "mls", {"loops": "Loops"}, {})


def test_grades_by_item(book: Gradebook) -> None:
    record(book)
    assert [each.student.name for each in items_of(table(book, ADA).values())["layers"]] == ["ada"]
