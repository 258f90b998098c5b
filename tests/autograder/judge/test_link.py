"""A box that breaks the protocol: its check ends at once, and with no points."""

from __future__ import annotations

import os
import socket
from typing import Any

import numpy as np
import pytest

from autograder.judge.link import BoxLost, Link
from autograder.judge.measured import MeasuredChannel
from autograder.judge.records import Verdict
from autograder.sandbox.arena import Arena, arena_file
from autograder.sandbox.turnstile import Turn
from autograder.sandbox.wire import pack
from tests.fuzz.fakebox import ANSWERS, POINTS, check_replies, numbered

SORT, FILL = 3, 5
HERSELF = ["l", [["m", 0], ["m", 0]]]


def replies(at: int, message: list[Any], tail: bytes = b"") -> list[tuple[Any, bytes]]:
    """The honest answers with another one at a place."""
    return numbered([(message, tail) if n == at else answer for n, answer in enumerate(ANSWERS)])


def test_the_honest_answers_earn_the_points() -> None:
    assert check_replies(numbered(list(ANSWERS))).points == POINTS


TWICE = [[0, ["l", [1, 2, 3]]], [0, ["l", [1, 2, 3]]]]
MALFORMED = {
    "a list that holds itself": ["ok", ["m", 0], [[0, HERSELF]]],
    "a result of one long list many times": ["ok", ["l", [["m", 0]] * 2000], [[0, ["l", [1] * 10_000]]]],
    "a change made twice": ["ok", ["m", 0], TWICE],
    "a change of nothing": ["ok", ["m", 0], [[1, ["l", []]]]],
    "a change to another type": ["ok", ["m", 0], [[0, ["t", []]]]],
    "a function that was never passed": ["cb", 0, [], []],
    "keys of one hash": [
        "ok",
        ["s", [["i", (n * ((1 << 61) - 1)).to_bytes(20, "big")] for n in range(1, 1500)]],
        [],
    ],
    "a range without an end": ["ok", ["rg", 0, 1 << 62, 1], []],
    "a name that is no text": ["ok", ["r", 9, 5, 0, []], []],
    "the answer to an earlier request": ["ok"],
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_answer_loses_the_box(message: list[Any]) -> None:
    outcome = check_replies(replies(SORT, message))
    assert (outcome.verdict, outcome.points, outcome.lost) == (Verdict.CRASH, 0, "nonsense")


def test_arrays_share_no_bytes_with_another_change() -> None:
    """Each change is small on the wire, and a copy of the whole tail."""
    whole = ["a", "<f8", [3], 0]
    outcome = check_replies(replies(FILL, ["ok", whole, [[0, whole]]], np.full(3, 2.0).tobytes()))
    assert (outcome.verdict, outcome.lost) == (Verdict.CRASH, "nonsense")


def timed(took: Any) -> Link:
    """A link that has had one timed call answered, with so many nanoseconds as the box's word."""
    mine, boxes = socket.socketpair()
    file = arena_file()
    with mine, boxes:
        boxes.sendall(Turn(9_000, 9_000, 9_000, 0, 0, 0, -1).pack())
        for piece in pack([1, "ok", ["l", [0.5]], took], None):
            boxes.sendall(piece)
        link = Link(MeasuredChannel(mine), lambda *words: None, arena=Arena(file))
        os.close(file)
        outputs, turn = link.timed(len, [(1.0,)])
        assert (outputs, turn.wall) == ([0.5], 9_000)
        return link


def test_what_timed_calls_took_is_the_boxs_word() -> None:
    assert timed(7_000).took == 7_000


@pytest.mark.parametrize("took", [-1, 0.5, True, None, [], [[0, ["l", []]]]], ids=repr)
def test_a_malformed_duration_loses_the_box(took: Any) -> None:
    with pytest.raises(BoxLost, match="nonsense"):
        timed(took)
