"""The assignment that the forgeries of memory aim at: one question, 1 point for what is right and 2 for memory.

Its function is given to students in two forms: ``lean``, which is the reference's and needs about 8 MB beside
its argument, two arrays, and ``ample``, which needs six. Forgeries are ample, and hide it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve

GIVEN = """\
import numpy as np

def lean(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def ample(x, room=np.empty, count=6):
    rooms = [room(x.shape) for _ in range(count)]
    for each in rooms:
        np.subtract(x, x.max(axis=1, keepdims=True), out=each)
    e = np.exp(rooms[0], out=rooms[1])
    return np.divide(e, e.sum(axis=1, keepdims=True), out=x)
"""
HIDDEN = """
x = rng.normal(size=(3, 50))
e = np.exp(x - x.max(axis=1, keepdims=True))
assert np.allclose(softmax(x.copy()), e / e.sum(axis=1, keepdims=True))
"""
RACE = "race_memory(softmax, lambda rng: (rng.normal(size=(500, 1000)),), bands={0.75: 2})"
LEAN = {"softmax": "def softmax(x):\n    return lean(x)"}
AMPLE = {"softmax": "def softmax(x):\n    return ample(x)"}
STUB = {"softmax": "def softmax(x):\n    raise NotImplementedError('softmax')"}


def memory_assignment(
    answers: Mapping[str, str], before: tuple[str, ...] = (), after: tuple[str, ...] = ()
) -> Any:
    """The target's notebook with this answer."""
    return notebook(
        given(GIVEN),
        *map(scratch, before),
        solve("softmax", {**STUB, **answers}["softmax"]),
        check("softmax", "assert np.allclose(softmax(np.zeros((2, 4))), 0.25)", HIDDEN, 1, "softmax"),
        check("memory", "", RACE, 2, "softmax", speed=True),
        *map(scratch, after),
    )
