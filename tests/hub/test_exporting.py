"""A dry run tells what an export would hold and what is wrong with it."""

from __future__ import annotations

from autograder.gradebook import Standing, State
from hub.exporting import dry_run


def standing(student: str, state: State, points: float | None = None, assignment: str = "a") -> Standing:
    return Standing(student, assignment, state, points, 10)


def test_rows_are_counted_by_state_with_the_mean_of_points() -> None:
    report = dry_run([standing("ada", State.GRADED, 4), standing("bea", State.GRADED, 8)], ["a"])
    assert (report.rows, report.students, report.problems) == (2, 2, ())
    assert report.assignments[0].states[State.GRADED] == 2
    assert report.assignments[0].mean == 6
    assert report.assignments[0].open == 0


def test_what_is_not_final_is_a_problem() -> None:
    rows = [standing("ada", State.PENDING), standing("bea", State.FAULT), standing("cy", State.MISSING)]
    report = dry_run(rows, ["a"])
    assert report.assignments[0].open == 2
    assert report.assignments[0].mean is None
    assert report.problems == (
        "a: 1 not final (ada)",
        "a: 1 not judged, which is our fault (bea); grade it again",
    )


def test_the_roster_and_the_gradebook_are_compared() -> None:
    report = dry_run([standing("ada", State.GRADED, 1)], ["a", "b"], ["bea"])
    assert report.problems == (
        "b is not in the gradebook: it was never released",
        "1 in the gradebook and not on the roster (ada)",
        "1 on the roster without a row, since they never submitted (bea)",
    )


def test_many_names_are_shortened() -> None:
    rows = [standing(f"s{number}", State.PENDING) for number in range(8)]
    assert dry_run(rows, ["a"]).problems == ("a: 8 not final (s0, s1, s2, s3, s4 and 3 more)",)


def test_an_empty_gradebook_is_an_empty_export() -> None:
    report = dry_run([], [])
    assert (report.rows, report.students, report.problems) == (0, 0, ())
