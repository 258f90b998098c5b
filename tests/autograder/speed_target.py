"""The assignment that the forgeries of speed aim at: one question, 1 point for what is right and 3 for speed.

Its function reads all of its input, takes some milliseconds, and is given to students in two forms: ``fast``,
which is the reference's, and ``slow``, which does the same work four times over. An honest ``slow`` earns
nothing for speed, an honest ``fast`` 2 points; the third takes half of the reference's time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve

GIVEN = """\
import numpy as np

def fast(x):
    k = np.arange(1, 9)[:, None]
    return np.cumsum([np.sin(k * x).sum(axis=0), np.cos(k * x).sum(axis=0)], axis=1)

def slow(x):
    for _ in range(4):
        y = fast(x)
    return y
"""
HIDDEN = """
for size in (1, 1000):
    x = rng.normal(size=size)
    k = np.arange(1, 9)[:, None]
    got = waves(x)
    assert np.shape(got) == (2, size)
    assert np.allclose(got, np.cumsum([np.sin(k * x).sum(axis=0), np.cos(k * x).sum(axis=0)], axis=1))
"""
RACE = "race(waves, lambda rng: (rng.normal(size=10_000),), bands={0.4: 1, 0.7: 2, 2.0: 3}, budget=5.0)"
FAST = {"waves": "def waves(x):\n    return fast(x)"}
SLOW = {"waves": "def waves(x):\n    return slow(x)"}
STUB = {"waves": "def waves(x):\n    raise NotImplementedError('waves')"}
CHECK_SECONDS = 15.0


def speed_assignment(
    answers: Mapping[str, str], before: tuple[str, ...] = (), after: tuple[str, ...] = ()
) -> Any:
    """The target's notebook with this answer."""
    return notebook(
        given(GIVEN),
        *map(scratch, before),
        solve("waves", {**STUB, **answers}["waves"]),
        check("waves", "assert np.shape(waves(np.ones(4))) == (2, 4)", HIDDEN, 1, "waves"),
        check("speed", "", RACE, 3, "waves", speed=True),
        *map(scratch, after),
    )
