"""Tables of grades: every state is told apart, and what was not graded is empty, not 0."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook as NbgraderGradebook

from autograder.gradebook import Gradebook
from autograder.gradebook.export import cell_text, long_table, question_table, wide_table, write_csv
from autograder.gradebook.snapshots import Receipt
from autograder.gradebook.standings import Standing, State, read_standings
from autograder.judge import Verdict
from course.gradebook import gradebook_url
from tests.autograder.gradebook.gradings import DUE, grading, open_gradebook, result
from tests.autograder.notebooks import cell_of, released, right, two_questions

OK, WRONG = Verdict.OK, Verdict.WRONG
SOURCE = two_questions()
BARE = released(SOURCE)


@pytest.fixture
def book(course: Path) -> Iterator[Gradebook]:
    with open_gradebook(course) as opened:
        yield opened


def standing(book: Gradebook, student: str = "ada") -> Standing:
    return next(each for each in read_standings(book) if each.student == student)


def without_essay() -> object:
    nb = right(SOURCE)
    nb.cells.remove(cell_of(nb, "why"))
    return nb


def finished(**fields: object) -> object:
    """A grading that no person has to complete."""
    return grading(result(OK, WRONG, OK), submitted=without_essay(), **fields)  # type: ignore[arg-type]


def record(book: Gradebook, **fields: object) -> None:
    book.record_attempt(finished(**fields))  # type: ignore[arg-type]


def receipt(student: str = "ada") -> Receipt:
    return Receipt(student, "layers", DUE, "f" * 64, (), (), "")


def test_a_graded_submission(book: Gradebook) -> None:
    record(book, penalty=1.5, late_seconds=90.0)
    found = standing(book)
    assert (found.state, found.points, found.max_points) == (State.GRADED, 8.5, 15)
    assert (found.attempt, found.verdict, found.late_seconds, found.timestamp) == (1, "WRONG", 90, DUE)


def test_a_submission_that_waits_for_the_judge(book: Gradebook) -> None:
    book.record_submission(receipt())
    found = standing(book)
    assert (found.state, found.points, found.note) == (State.PENDING, None, "new submission, not judged yet")


def test_a_submission_that_waits_for_a_person(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    assert (standing(book).state, standing(book).points) == (State.PENDING, None)
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        grade = theirs.find_grade("why", "layers", "layers", "ada")
        grade.manual_score, grade.needs_manual_grade = 2.5, False
        theirs.db.commit()
    assert (standing(book).state, standing(book).points) == (State.GRADED, 14.5)
    book.record_attempt(grading(result(OK, WRONG, OK)))
    again = standing(book)
    assert (again.state, again.points, again.note) == (State.PENDING, 12.5, "waits for a person's review")


def test_a_fault_without_a_grade_has_no_points(book: Gradebook) -> None:
    book.record_attempt(grading(None, fault="no box started"))
    found = standing(book)
    assert (found.state, found.points, found.note) == (State.FAULT, None, "no box started")


def test_a_fault_shows_and_the_grade_before_it_stands(book: Gradebook) -> None:
    record(book)
    book.record_attempt(grading(None, minutes=1, fault="no box started"))
    assert (standing(book).state, standing(book).points) == (State.FAULT, 10)


def test_an_unreadable_submission_is_zero(book: Gradebook) -> None:
    book.record_attempt(grading(problem="layers.ipynb is empty."))
    found = standing(book)
    assert (found.state, found.points, found.note) == (State.UNREADABLE, 0, "layers.ipynb is empty.")


def test_a_student_without_a_submission_is_missing(book: Gradebook, course: Path) -> None:
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        theirs.add_student("zoe")
    assert (standing(book, "zoe").state, standing(book, "zoe").points) == (State.MISSING, None)


def test_a_bare_stub_is_zero_and_graded(book: Gradebook) -> None:
    book.record_attempt(grading(result(WRONG, WRONG, WRONG), submitted=BARE))
    assert (standing(book).state, standing(book).points) == (State.GRADED, 0)


def test_the_csv_tells_zero_from_nothing(book: Gradebook, tmp_path: Path) -> None:
    record(book)
    book.record_attempt(grading(result(WRONG, WRONG, WRONG), submitted=BARE, student="bob"))
    book.record_submission(receipt("eve"))
    path = tmp_path / "out" / "grades.csv"
    write_csv(long_table(read_standings(book)), path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert {name: (row["state"], row["points"]) for name, row in rows.items()} == {
        "ada": ("graded", "10"),
        "bob": ("graded", "0"),
        "eve": ("pending", ""),
    }
    assert rows["ada"]["timestamp"] == "2026-09-01T12:00:00+00:00"
    assert [each.name for each in path.parent.iterdir()] == ["grades.csv"]


def test_the_wide_table_is_empty_where_nothing_was_graded(book: Gradebook, tmp_path: Path) -> None:
    record(book)
    book.record_submission(receipt("eve"))
    table = wide_table(read_standings(book))
    assert table.loc["ada"].to_dict() == {"layers": 10, "total": 10}
    assert table.loc["eve"].isna().all()
    write_csv(table, tmp_path / "wide.csv")
    assert (tmp_path / "wide.csv").read_text() == "student,layers,total\nada,10,10\neve,,\n"


def test_questions_have_their_points(book: Gradebook) -> None:
    book.record_attempt(grading(result(OK, WRONG, OK)))
    rows = list(question_table(book).itertuples(index=False, name=None))
    assert rows[:2] == [("ada", "layers", "relu", 4, 6), ("ada", "layers", "layer", 6, 6)]
    assert rows[2][:3] == ("ada", "layers", "why") and math.isnan(rows[2][3])


def test_tables_of_an_empty_gradebook_are_empty(book: Gradebook, tmp_path: Path) -> None:
    assert read_standings(book) == ()
    assert question_table(book).empty
    write_csv(wide_table(()), tmp_path / "wide.csv")
    assert (tmp_path / "wide.csv").read_text() == "student,total\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1", "'+1"),
        ("\tx", "'\tx"),
        ("a,b", "a,b"),
        (-3.0, "-3"),
        (-3, "-3"),
        (None, ""),
        (float("nan"), ""),
        (0.0, "0"),
        (8.25, "8.25"),
        ('Ünal, "Ö"', 'Ünal, "Ö"'),
    ],
)
def test_a_cell_is_text_or_a_number_and_never_a_formula(value: object, expected: str) -> None:
    assert cell_text(value) == expected
