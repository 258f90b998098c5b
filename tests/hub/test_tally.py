"""What a batch tells people at its end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autograder.gradebook import Attempt, AttemptNotebook, AttemptState
from autograder.judge import CheckResult, Usage, Verdict
from autograder.repair import Repair, RepairKind
from hub.cli.tally import MOST_ROWS, Tally, duration

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def attempt(
    student: str, verdict: Verdict = Verdict.OK, seconds: float = 1.0, repairs: int = 0, **changes: object
) -> Attempt:
    check = CheckResult("c", "q", verdict, 1.0 if verdict is Verdict.OK else 0.0, 1.0)
    repair = Repair(next(iter(RepairKind)), "c", "A cell was put back.")
    notebook = AttemptNotebook("n", "", (check,), Usage(0.1, 1, seconds), (repair,) * repairs)
    known = {
        "id": 1, "student": student, "assignment": "a", "number": 1, "sha256": "0" * 64, "submitted": NOW,
        "graded": NOW, "late_seconds": 0.0, "penalty": 0.0, "state": AttemptState.GRADED, "points": 1.0,
        "max_points": 1.0, "message": "", "source_version": "", "package_version": "", "counts": True,
        "notebooks": (notebook,),
    }  # fmt: skip
    return Attempt(**{**known, **changes})  # type: ignore[arg-type]


def tally(*attempts: Attempt, tries: int = 1) -> Tally:
    made = Tally()
    for each in attempts:
        made.add(each, tries)
    return made


def test_verdicts_are_counted_with_the_best_first() -> None:
    fault = attempt("d", state=AttemptState.FAULT)
    unreadable = attempt("e", Verdict.ERROR, state=AttemptState.UNREADABLE)
    made = tally(attempt("a", Verdict.WRONG), attempt("b"), attempt("c"), fault, unreadable)
    assert made.counts() == "2 OK, 1 WRONG, 1 FAULT, 1 unreadable"


def test_the_last_words_name_what_took_longest_and_what_was_mended() -> None:
    slow = [attempt(f"s{number}", seconds=number) for number in range(5)]
    said = tally(*slow, attempt("r", repairs=2), tries=2).last_words(3.0)
    assert said[0] == "6 graded in 3.0 s (2.0 a second): 6 OK"
    assert said[1] == "slowest: s4 4.0 s, s3 3.0 s, s2 2.0 s"
    assert said[2].startswith("repaired before judging: 1 ")
    assert said[3] == "judged again after a fault of ours: 6"


def test_a_batch_of_nothing_has_no_last_words() -> None:
    assert tally().last_words(0.0) == []
    assert tally().table() is None


def test_a_class_too_large_to_read_has_no_table() -> None:
    few = tally(*(attempt(f"s{number}") for number in range(MOST_ROWS)))
    table = few.table()
    assert table is not None
    assert table.row_count == MOST_ROWS
    few.add(attempt("one-more"), 1)
    assert few.table() is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.21, "4.2 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (59.99, "60.0 s")]
)
def test_a_duration_is_told_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words
