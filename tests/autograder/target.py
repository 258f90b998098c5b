"""The assignment that the hostile submissions aim at: three questions, 10 points.

Its hidden checks are of the kinds that authors write: asserts on numbers, numpy's own comparisons, `all` over
a `map`, an object of the student's that stays in the box. None is written with an attacker in mind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve

NAME = "target"
DOUBLE_HIDDEN = """
for x in (3, 21, -4):
    assert double(x) == 2 * x, "double is off"
got = double(0.5)
assert abs(got - 1) < 1e-9, "double is off for a float"
assert all(map(lambda x: double(x) == 2 * x, (5, -8318274)))
"""
NORM_HIDDEN = """
got = norm(np.array([6.0, 8.0]))
np.testing.assert_allclose(got, 10, err_msg="norm is off")
assert np.allclose(norm(np.array([0.0, 5.0, 12.0])), 13)
"""
LAYER_HIDDEN = """
layer = Layer(np.array([1.0, -2.0, 0.5]))
got = layer(np.array([4.0, 4.0, 4.0]))
assert np.allclose(got, np.array([4.0, -8.0, 2.0])), "the product is off"
layer(np.ones(3))
assert layer.calls == 2, "calls are miscounted"
with pytest.raises(ValueError):
    layer(np.ones(4))
"""
REFERENCE = {
    "double": "def double(x):\n    return 2 * x",
    "norm": "def norm(v):\n    return float((v ** 2).sum()) ** 0.5",
    "layer": """\
class Layer:
    def __init__(self, weights):
        self.weights, self.calls = weights, 0

    def __call__(self, x):
        if x.shape != self.weights.shape:
            raise ValueError("the shapes differ")
        self.calls += 1
        return self.weights * x""",
}
STUB = {
    "double": "def double(x):\n    raise NotImplementedError('double')",
    "norm": "def norm(v):\n    raise NotImplementedError('norm')",
    "layer": "class Layer:\n    def __init__(self, weights):\n        raise NotImplementedError('Layer')",
}
POINTS = {"double": 4, "norm": 3, "layer": 3}


def assignment(answers: Mapping[str, str], before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Any:
    """The target's notebook with these answers; what isn't answered is the bare stub."""
    answers = {**STUB, **answers}
    norm, layer = "assert abs(norm(np.array([3.0, 4.0])) - 5) < 1e-9", "assert Layer(np.ones(2)).calls == 0"
    return notebook(
        given("import numpy as np\nimport pytest"),
        *map(scratch, before),
        solve("double", answers["double"]),
        check("double", "assert double(1) == 2", DOUBLE_HIDDEN, POINTS["double"], "double"),
        solve("norm", answers["norm"]),
        check("norm", norm, NORM_HIDDEN, POINTS["norm"], "norm"),
        solve("layer", answers["layer"]),
        check("layer", layer, LAYER_HIDDEN, POINTS["layer"], "layer"),
        *map(scratch, after),
    )
