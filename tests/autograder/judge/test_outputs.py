"""Outputs of a box: of the shapes that nbformat knows, and never more than the cap."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.judge.outputs import SLACK, clean_outputs

CAP = 10_000
EMPTY_LINES = {"output_type": "error", "ename": "E", "evalue": "", "traceback": [""] * 100_000}
EMPTY_BODIES = {"output_type": "display_data", "data": {f"a/{n}": "" for n in range(5000)}}
NOTHING = {"output_type": "stream", "name": "stdout", "text": ""}


@pytest.mark.parametrize(
    "sent", [[EMPTY_LINES], [EMPTY_BODIES] * 100, [NOTHING] * 10_000, [{**NOTHING, "text": "é" * 9000}] * 9]
)
def test_what_looks_like_nothing_counts_too(sent: list[Any]) -> None:
    assert len(json.dumps(clean_outputs(sent, CAP), ensure_ascii=False).encode()) < 4 * (CAP + SLACK)


def test_a_cell_past_the_cap_still_says_so() -> None:
    note = {
        "output_type": "stream",
        "name": "stdout",
        "text": "[output cut: the limit for this notebook is reached]",
    }
    assert clean_outputs([note], 0) == (note,)


def test_ordinary_outputs_are_kept_as_they_are() -> None:
    sent = [
        {"output_type": "stream", "name": "stderr", "text": "careful"},
        {"output_type": "execute_result", "data": {"text/plain": "5"}, "metadata": {}, "execution_count": 3},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a", "b"]},
    ]
    assert list(clean_outputs(sent, CAP)) == sent


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4)
    | st.sampled_from(["stream", "error", "display_data", "execute_result", "stdout", "text/plain"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from("output_type name text data traceback ename evalue execution_count a/b".split()), inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(JUNK, max_size=5))
def test_whatever_is_sent_becomes_outputs_that_json_takes(sent: list[Any]) -> None:
    kept = json.loads(json.dumps(clean_outputs(sent, CAP), allow_nan=False))
    assert all(each["output_type"] in ("stream", "error", "display_data", "execute_result") for each in kept)
