"""The comparison with the stock nbgrader: what is told of it is what it does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from autograder.errors import SubmissionError
from autograder.judge import Court
from benchmarks.attacks import as_json, compare, table, totals
from benchmarks.holding import HANDLED, Kind, Outcome, Problem, not_applicable, of_ours, of_stock
from benchmarks.stock import Command, Facts, can_hand_in, facts, said
from tests.autograder.attack import FOLDER, Attack, read_attack

NAMES = ("input_transformer", "nan_and_infinity", "stderr_is_no_crime", "replaced_agent")
WELL = Command(0, False, 1.0, "")
HELD = Facts(
    attacked=WELL,
    left=0,
    honest=WELL,
    feedback=WELL,
    points={"attacker": 0.0, "earlier": 7.0, "honest": 10.0},
    most=10.0,
    found=(),
)


def attack(name: str) -> Attack:
    return read_attack(FOLDER / f"{name}.py")


@pytest.mark.slow
def test_the_table_says_what_both_did(court: Court, tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    rows = compare([*map(attack, NAMES)], tmp_path, court, 2, lambda *each: told.append(each))
    stock = {row.attack.name: (str(row.stock), row.stock.held) for row in rows}
    assert stock == {
        "input_transformer": ("10 of 10 points", False),
        "nan_and_infinity": ("held", True),
        "replaced_agent": ("– (aims at this project's judge)", None),
        "stderr_is_no_crime": ("3 of 10 points, 7 earned", False),
    }
    assert {str(row.ours) for row in rows} == {"held"}
    assert totals(rows)[0] == "stock nbgrader held 1 of 3 applicable attacks; this project held 4 of 4"
    assert all(row.facts.told for row in rows if row.facts is not None), "its feedback shows hidden tests"
    assert sorted(told) == sorted(
        [("ours", name) for name in NAMES] + [("stock", name) for name in NAMES[:3]]
    )
    assert len(json.loads(as_json(rows, 1.0))["attacks"]) == 4
    with Console(width=110, record=True, quiet=True) as console:
        console.print(table(rows))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (HELD, "held"),
        (Facts(), "the grader is killed or hangs for good"),
        (replace(HELD, attacked=replace(WELL, hung=True, exit=-9)), "the grader hangs"),
        (replace(HELD, attacked=replace(WELL, exit=-9)), "the grader is killed"),
        (replace(HELD, attacked=replace(WELL, exit=1, words=f"Please see the above {HANDLED}")), "held"),
        (
            replace(HELD, attacked=replace(WELL, exit=1, words="RecursionError: too deep")),
            "nbgrader breaks off, with everybody after this student",
        ),
        (replace(HELD, points=None, unreadable="malformed"), "the gradebook can't be read"),
        (replace(HELD, points=None), "nobody after this student is graded"),
        (replace(HELD, points={"attacker": 0, "earlier": 207, "honest": 207}), "others' grades changed"),
        (replace(HELD, points={"attacker": 4, "earlier": 7, "honest": 10}), "4 of 10 points"),
        (replace(HELD, points={"earlier": 7}, honest=replace(WELL, exit=1)), "the next student isn't graded"),
        (replace(HELD, points={"earlier": 7, "honest": 4}), "the next student gets 4 of 10"),
        (replace(HELD, left=3), "processes left running"),
    ],
)
def test_what_the_stock_nbgrader_did_in_words(seen: Facts, words: str) -> None:
    assert str(of_stock(attack("nan_and_infinity"), seen)) == words


def test_what_our_box_may_have_held_is_no_praise_for_nbgrader() -> None:
    network = attack("network")
    assert of_stock(network, replace(HELD, found=("[]",))).held is None
    died = replace(HELD, points={"earlier": 7, "honest": 10})
    assert of_stock(replace(network, mark=3), died).held is None, "its kernel died of what the box refused"
    reached = of_stock(network, replace(HELD, found=("[2, 10]",)))
    assert reached == Outcome((Problem(Kind.TELLS, "reaches what it mustn't"),))


def test_a_reader_that_found_something_or_stopped_half_way() -> None:
    reader = attack("read_tests")
    assert of_stock(reader, replace(HELD, found=("['/x']",))).held is False
    assert of_stock(reader, replace(HELD, found=("[]",))).held is True
    assert of_stock(reader, replace(HELD, found=())).held is None


def test_a_refusal_holds_only_where_one_is_due() -> None:
    refusal = SubmissionError("too big")
    assert of_ours(replace(attack("network"), refused="too big"), refusal, [], None).held
    assert not of_ours(attack("network"), refusal, [], None).held


def test_an_attack_on_our_own_parts_is_not_tried_on_nbgrader() -> None:
    assert not_applicable(attack("forged_replies")) is not None
    assert not_applicable(attack("network")) is None
    assert can_hand_in({"a b.ipynb": b"", "inner/file": b""})
    for name in ("../x", "/x", "a\0b", "x" * 256, "", "\udc80"):
        assert not can_hand_in({name: b""})


@pytest.mark.parametrize(
    "line",
    [b"[1]", b"{}", b'{"step": 3}', b'{"step": "marks", "most": NaN}', b"[" * 100_000, b"\xff", b"1" * 5000],
)
def test_what_the_box_says_is_read_up_to_the_first_line_that_is_none(line: bytes) -> None:
    first = {"step": "left", "left": 0}
    assert said(json.dumps(first).encode() + b"\n" + line + b'\n{"step": "seen"}\n') == [first]


def test_what_is_not_of_its_kind_was_not_said() -> None:
    strange: list[dict[str, object]] = [
        {"step": "attacked", "exit": 0, "hung": "no", "seconds": 1},
        {"step": "left", "left": True},
        {"step": "marks", "points": {"attacker": "10"}, "most": 10**400},
        {"step": "seen", "found": [1, "[]"], "printed": "all", "told": None},
    ]
    assert facts(strange) == Facts(found=("[]",))


def test_the_first_of_two_reports_counts() -> None:
    assert facts([{"step": "left", "left": 1}, {"step": "left", "left": 0}]).left == 1
