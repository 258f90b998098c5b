"""Fuzzes the wire with coverage guidance: what a box may send, against the judge that reads it.

``python -m tests.fuzz.decoder [TARGET] --runs N`` where TARGET is ``bytes`` (any body and tail),
``values`` (messages that get past msgpack) or ``link`` (the answers of a fake box to a whole check).
Exits with 77 and keeps the input in the working directory where one broke a rule.
"""

from __future__ import annotations

import argparse
import faulthandler
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # has no types

HANG_SECONDS = 300
CHECK_EVERY = 1000

with atheris.instrument_imports(
    include=[
        "autograder.sandbox.wire",
        "autograder.sandbox.bounds",
        "autograder.judge.link",
        "autograder.judge.hollow",
    ]
):
    import msgpack

    from tests.fuzz.drawing import Draw, draw_frame
    from tests.fuzz.fakebox import RIGHT, check_replies, draw_replies
    from tests.fuzz.rules import Watch, check_frame

Target = Callable[[bytes], None]


def bytes_target(data: bytes) -> None:
    """The first byte says how much of the rest is the tail."""
    cut = 1 + data[0] if data else 0
    check_frame(data[cut:], data[1:cut])


def values_target(data: bytes) -> None:
    message, tail = draw_frame(Draw(data))
    check_frame(msgpack.packb(message), tail)


def link_target(data: bytes) -> None:
    # libFuzzer's handler isn't Python's, and the judge's time limit puts back the one that it found.
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    check_replies(draw_replies(Draw(data)))


TARGETS: dict[str, Target] = {"bytes": bytes_target, "values": values_target, "link": link_target}


def seeds(target: str) -> list[bytes]:
    """Inputs to start from."""
    if target != "bytes":
        return [bytes(range(start, start + 64)) for start in range(0, 192, 16)]
    plain = [
        ["l", [1, "a", 2.5, None, True, b"x"]],
        ["d", [["k", ["t", [1]]]]],
        ["a", "<f8", [2], 0],
        ["T", "bool", [3], 0],
    ]
    more = [
        ["g", "|b1", b"\2"],
        ["i", b"\1" * 9],
        ["c", 1.0, -0.0],
        ["rg", 0, 9, 1],
        ["sl", None, 1, 2],
        ["s", [1, 2]],
    ]
    return [bytes([16]) + bytes(16) + msgpack.packb(each) for each in [*plain, *more, *RIGHT]]


def watched(target: Target) -> Target:
    """``target`` under the watch, and a trace of where it is should it never end."""
    watch = Watch()

    def run(data: bytes) -> None:
        if watch.runs % CHECK_EVERY == 0:
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        watch.run(target, data)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", nargs="?", default="values", choices=sorted(TARGETS))
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=int, default=512, help="the longest input, in bytes")
    parser.add_argument("--corpus", type=Path, help="a folder that keeps the inputs worth keeping")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
        corpus = given.corpus or Path(scratch)
        corpus.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(seeds(given.target)):
            (corpus / f"seed-{number}").write_bytes(data)
        options = [f"-runs={given.runs}", f"-seed={given.seed}", f"-max_len={given.longest}", "-timeout=1200"]
        atheris.Setup([sys.argv[0], *options, str(corpus)], watched(TARGETS[given.target]))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
