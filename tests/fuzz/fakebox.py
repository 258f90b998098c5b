"""A box that lies: a whole check against answers that a fuzzer wrote.

Contract: ``check_replies`` runs one check of the judge's own, with all the answers already in the
socket, and raises Broken unless it ends in an Outcome that earned what it got.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from functools import cache
from typing import Any

import msgpack
import numpy as np

from autograder.judge.namespace import CheckNamespace
from autograder.judge.plan import CheckStep
from autograder.judge.proxy import Proxy
from autograder.judge.records import Verdict
from autograder.judge.session import Outcome, Session
from autograder.sandbox.frames import HEADER
from autograder.sandbox.wire import Channel
from tests.fuzz.drawing import Draw, draw_value
from tests.fuzz.rules import Broken

SECONDS = 5.0
POINTS = 10.0
MAX_UNREAD = 100_000
SOURCE = """\
words, ones = [3, 1, 2], np.ones(3)
seen = []
number = double(4)
kept = sort(words)
filled = fill(ones)
called = apply(lambda t: seen.append(t) or t + 1, 4)
thing = make()
size = thing.size
steps = list(thing)
try:
    fail()
    raised = None
except ValueError as error:
    raised = str(error)
assert number == 8, number
assert words == [1, 2, 3] and kept is words
assert np.allclose(filled, 2) and filled is ones
assert called == 5 and seen == [4]
assert size == 2 and steps == [7]
assert raised == "boo"
"""
STEP = CheckStep(0, "check-fuzz", "fuzz", SOURCE, POINTS, frozenset(range(1, 40)))
NAMES = ("double", "sort", "fill", "apply", "make", "fail")
EARNED: dict[str, Any] = {
    "number": 8,
    "words": [1, 2, 3],
    "filled": [2.0] * 3,
    "called": 5,
    "size": 2,
    "steps": [7],
    "raised": "boo",
}
M = "m"
TWOS = np.full(3, 2.0).tobytes()
# What an honest box answers, in order: [body after the number, tail].
ANSWERS: tuple[tuple[list[Any], bytes], ...] = (
    (["ok", ["r", 1, "function", 1, []], []], b""),  # double
    (["ok", 8, []], b""),
    (["ok", ["r", 2, "function", 1, []], []], b""),  # sort
    (["ok", [M, 0], [[0, ["l", [1, 2, 3]]]]], b""),
    (["ok", ["r", 3, "function", 1, []], []], b""),  # fill
    (["ok", [M, 0], [[0, ["a", "<f8", [3], 0]]]], TWOS),
    (["ok", ["r", 4, "function", 1, []], []], b""),  # apply
    (["cb", 0, [4], []], b""),
    (["ok", 5, []], b""),
    (["ok", ["r", 5, "function", 1, []], []], b""),  # make
    (["ok", ["r", 6, "Thing", 0, []], []], b""),
    (["ok", 2, []], b""),
    (["ok", ["r", 7, "iterator", 0, []], []], b""),
    (["ok", 1, []], b""),  # its length, which list() asks for
    (["ok", 7, []], b""),
    (["err", ["StopIteration", "Exception", "BaseException", "object"], "", "", []], b""),
    (["ok", ["r", 8, "function", 1, []], []], b""),  # fail
    (["err", ["ValueError", "Exception"], "boo", "", []], b""),
)


def numbered(answers: list[tuple[list[Any], bytes]]) -> list[tuple[Any, bytes]]:
    """The answers with the numbers of the requests that they belong to."""
    replies, number = [], 1
    for body, tail in answers:
        replies.append(([number, *body], tail))
        number += 0 if body and body[0] == "cb" else 1
    return replies


RIGHT = [message for message, _ in numbered(list(ANSWERS))]


def draw_replies(draw: Draw) -> list[tuple[Any, bytes]]:
    """The honest answers with some of them changed."""
    replies = numbered(list(ANSWERS))
    for _ in range(1 + draw.below(3)):
        at = draw.below(len(replies))
        message, tail = whole(*replies[at])
        kind = draw.below(9)
        if kind == 0:
            replies[at] = (draw_value(draw), tail)
        elif kind == 1:
            replies[at] = ([message[0], "ok", draw_value(draw), draw_changes(draw)], draw.raw(draw.below(40)))
        elif kind == 2:
            replies[at] = ([message[0], "err", *(draw_error(draw))], b"")
        elif kind == 3:
            arguments = [draw_value(draw) for _ in range(draw.below(3))]
            replies.insert(at, ([message[0], "cb", draw.below(3), arguments, draw_keywords(draw)], b""))
        elif kind == 4:
            replies[at] = ([draw.one_of((message[0] + 1, 0, -1, True, 1.0, None)), *message[1:]], tail)
        elif kind == 5:
            del replies[at]
        elif kind == 6:
            replies.insert(at, replies[draw.below(len(replies))])
        elif kind == 7:
            replies[at] = (message[: draw.below(len(message) + 1)], tail)
        else:
            replies[at] = ([*message[:2], draw_value(draw), *message[3:]], tail)
    return replies


def whole(message: Any, tail: bytes) -> tuple[list[Any], bytes]:
    """The message, or an honest one where an earlier change left none."""
    fine = type(message) is list and len(message) > 1 and type(message[0]) is int
    return (message if fine else [1, "ok", None, []]), tail


def draw_changes(draw: Draw) -> Any:
    if draw.below(8) == 0:
        return draw_value(draw)
    values = ([M, 0], ["l", [[M, 0], [M, 0]]], ["l", [1, 2, 3]], ["a", "<f8", [3], 0], draw_value(draw))
    return [[draw.below(3), draw.one_of(values)] for _ in range(draw.below(4))]


def draw_error(draw: Draw) -> list[Any]:
    names = (
        "ValueError",
        "UnicodeDecodeError",
        "ExceptionGroup",
        "StopIteration",
        "SystemExit",
        "OSError",
        "KeyError",
        "\0",
        "x" * 99,
        5,
    )
    said = [draw.one_of(names) for _ in range(draw.below(4))]
    return [
        draw.one_of((said, said, said, draw_value(draw))),
        draw.one_of(("boo", "", 5)),
        draw.one_of(("", "trace", 7)),
        draw.one_of(([], [1], [None], 3)),
    ]


def draw_keywords(draw: Draw) -> Any:
    return draw.one_of(([], [], [["t", 4]], [["self", 1]], [["t", 1], ["t", 2]], [[1, 2]], [["t"]], 5))


def check_replies(replies: list[tuple[Any, bytes]]) -> Outcome:
    """Judges with a box that gives these answers."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        frames = [
            b"".join(HEADER.pack(len(body), len(tail)) + body + tail for body, tail in map(packed, replies))
        ]
        theirs.send(packed_frame([0, "ok", "ready", []]) + frames[0][:MAX_UNREAD])
        theirs.shutdown(socket.SHUT_WR)
        session = Session(b"seed", ["import numpy as np"], list(NAMES), list(NAMES), [], [])
        if session.attach("student", Channel(ours, buffered=True), SECONDS) is not None:
            raise Broken("the greeting was refused")
        outcome = session.run_check(STEP, False, SECONDS)
    require_earned(outcome, session.namespace)
    return outcome


def packed(reply: tuple[Any, bytes]) -> tuple[bytes, bytes]:
    return msgpack.packb(reply[0]), reply[1]


def packed_frame(message: Any) -> bytes:
    body = msgpack.packb(message)
    return HEADER.pack(len(body), 0) + bytes(body)


def require_earned(outcome: Outcome, names: CheckNamespace) -> None:
    """Points only for what the check was given: plain values that are the right ones."""
    if type(outcome) is not Outcome or outcome.verdict is Verdict.FAULT:
        raise Broken(f"ended in {outcome!r}"[:500])
    wire = replace(outcome, seconds=0.0).to_wire()
    if len(msgpack.packb(wire, unicode_errors="replace")) > 100_000:
        raise Broken("an outcome too large to be sent")
    if outcome.points == 0:
        return
    for name, right in EARNED.items():
        got = dict.get(names, name)
        held = np.asarray(None if isinstance(got, Proxy) else got)
        if held.size != np.size(right) or not np.all(held == np.asarray(right)):
            raise Broken(f"{outcome.points} points though {name} is {got!r}"[:1000])


@cache
def right_outcome() -> Outcome:
    """What the honest answers earn."""
    return check_replies(numbered(list(ANSWERS)))
