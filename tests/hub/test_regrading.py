"""A regrading's diff has exactly what changed."""

from __future__ import annotations

from autograder.gradebook.regrading import Ledger, Move, Plan, Points
from hub.cli.moves import names, offered, signed, summary_words
from hub.regrading import Change, CheckMoves, Mover, changes, check_moves, movers, question_changes

FIRST, LAST, NEW = ("nb", "check-a"), ("nb", "check-b"), ("nb", "check-c")


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


def points(first: float | None, last: float | None = None, *, penalty: float = 0) -> Points:
    cells = {FIRST: first} | ({} if last is None else {LAST: last})
    return Points(sum(each or 0.0 for each in cells.values()) - penalty, cells, penalty)


def plan(*moves: Move) -> Plan:
    """Of two checks, the second of which makes room for a new one."""
    ledger = Ledger("hw", "1")
    return Plan((), ledger, ledger, moves, frozenset(), {FIRST: 5, LAST: 5}, {FIRST: 8, NEW: 2}, {})


THEIRS = plan(
    Move("ada", points(5, 5), points(8)),
    Move("bob", points(1, 5, penalty=1), points(0)),
    Move("cid", points(5), points(5), kept=True),
    Move("dan", points(5), points(5)),
    Move("eve", None, points(8)),
    Move("flo", points(None), points(2)),
)


def test_movers_are_those_whose_grade_changes_or_would() -> None:
    assert movers(THEIRS) == (
        Mover("ada", 10, 8, "down", kept=False, waits=False),
        Mover("bob", 5, 0, "down", kept=False, waits=False),
        Mover("cid", 5, 5, "unchanged", kept=True, waits=False),
        Mover("eve", None, 8, "first", kept=False, waits=False),
        Mover("flo", 0, 2, "up", kept=False, waits=True),
    )
    assert [each.difference for each in movers(THEIRS)] == [-2, -5, 0, None, 2]


def test_checks_name_who_gets_more_and_who_less() -> None:
    """Who had no mark in a check, or has none now, neither gains nor loses in it."""
    first, new, gone = check_moves(THEIRS)
    assert first == CheckMoves(*FIRST, 5, 8, better=("ada",), worse=("bob",))
    assert (new.is_new, new.is_gone, gone.is_new, gone.is_gone) == (True, False, False, True)
    assert [offered(each) for each in (first, new, gone)] == ["5 → 8", "2 (new)", "5 (gone)"]


def test_questions_are_named_by_their_cells_where_no_check_says_more() -> None:
    assert Change("ada", "check-b", 5, None) in question_changes(THEIRS)
    assert not [each for each in question_changes(THEIRS) if each.student == "dan"]


def test_words() -> None:
    assert summary_words(THEIRS) == (
        "1 up, 2 down, 2 unchanged; 1 graded for the first time; 1 keep an earlier attempt that is worth more"
    )
    assert [signed(each) for each in (2.5, -1, 0, None)] == ["+2.5", "-1", "0", "–"]
    assert names([str(n) for n in range(10)]) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"
