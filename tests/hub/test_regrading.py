"""A regrading's diff has exactly what changed."""

from __future__ import annotations

from hub.regrading import Change, changes


def test_only_what_differs_is_told_by_student_in_the_order_of_questions() -> None:
    before = {("bea", "two"): 1.0, ("ada", "one"): 4.0, ("ada", "two"): 2.0}
    after = {("bea", "two"): 3.0, ("ada", "one"): 4.0, ("ada", "two"): 0.0}
    assert changes(before, after) == (Change("ada", "two", 2.0, 0.0), Change("bea", "two", 1.0, 3.0))


def test_no_points_and_zero_points_are_told_apart() -> None:
    assert changes({("ada", "one"): None}, {("ada", "one"): 0.0}) == (Change("ada", "one", None, 0.0),)
    assert changes({("ada", "one"): None}, {("ada", "one"): None}) == ()


def test_what_only_one_side_knows_is_told() -> None:
    assert changes({}, {("ada", "one"): 1.0}) == (Change("ada", "one", None, 1.0),)
    assert changes({("ada", "one"): 1.0}, {}) == (Change("ada", "one", 1.0, None),)


def test_rounding_is_no_change() -> None:
    assert changes({("ada", "one"): 0.1 + 0.2}, {("ada", "one"): 0.3}) == ()
