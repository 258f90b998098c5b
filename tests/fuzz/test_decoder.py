"""The wire and the link hold under fuzzing: a short run of each, and what longer ones found."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.judge.records import Verdict
from tests.fuzz.drawing import Draw, draw_frame
from tests.fuzz.fakebox import check_replies, draw_replies
from tests.fuzz.rules import Broken, check_frame, require_plain, same

FOUND = {
    "a range whose length is no machine number": ["rg", 0, (1 << 64) - 1, 1],
    "a range from one end to the other": ["rg", -(1 << 63), (1 << 63) - 1, 1],
    "a number past 63 bits in the deepest place": (1 << 64) - 1,
    "a boolean that is 2": ["a", "|b1", [2], 0],
}


@settings(max_examples=400)
@given(st.binary(max_size=300))
def test_values_are_plain_data_or_refused(data: bytes) -> None:
    message, tail = draw_frame(Draw(data))
    check_frame(msgpack.packb(message), tail)


@settings(max_examples=400)
@given(st.binary(max_size=300), st.binary(max_size=32))
def test_bytes_are_plain_data_or_refused(body: bytes, tail: bytes) -> None:
    check_frame(body, tail)


@pytest.mark.parametrize("message", FOUND.values(), ids=FOUND.keys())
@pytest.mark.parametrize("depth", [0, 39, 40, 41])
def test_what_was_found_stays_mended(message: object, depth: int) -> None:
    for _ in range(depth):
        message = ["l", [message]]
    check_frame(msgpack.packb(message), b"\2\2")


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_a_box_that_lies_earns_nothing(data: bytes) -> None:
    """``check_replies`` raises Broken for points that weren't earned."""
    outcome = check_replies(draw_replies(Draw(data)))
    assert (outcome.points > 0) == (outcome.verdict is Verdict.OK)


def test_the_rules_notice_a_breach() -> None:
    for value in (object(), {1: [np.array([object()])]}, np.frombuffer(b"\2", np.bool_)):
        with pytest.raises(Broken):
            require_plain(value, 0)
    for pair in ((1, 1.0), (0.0, -0.0), (True, 1), ([1], (1,)), (np.float32(1), np.float64(1))):
        assert not same(*pair)


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no build for this Python"
)
@pytest.mark.parametrize("target", ["bytes", "values", "link"])
def test_a_short_run_with_coverage_guidance_finds_nothing(target: str, tmp_path: Path) -> None:
    runs = 500 if target == "link" else 5000
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.decoder", target, "--runs", str(runs), "--corpus", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    number = re.search(r"^Done (\d+) runs", done.stderr, re.MULTILINE)
    assert number is not None and int(number[1]) >= runs  # it ends a few runs later now and then
