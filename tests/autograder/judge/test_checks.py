"""Ordinary checks run unchanged, and no object of the student's is a verdict.

Each case is one check of one notebook, judged in real boxes by one hearing.
"""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from autograder.judge import CheckResult, Court, Judgement, Settings, Verdict, plan_notebook
from tests.autograder.judge.notebooks import check, given, notebook, solve

STUDENT = """
import numpy as np
import torch

def add(a, b):
    return a + b

class Tensor:
    def __init__(self, data):
        self.data = np.asarray(data, dtype=float)
        self.grad = None
    def __mul__(self, other):
        return Tensor(self.data * (other.data if isinstance(other, Tensor) else other))
    __rmul__ = __mul__
    def __neg__(self):
        return Tensor(-self.data)
    def __iadd__(self, other):
        self.data = self.data + other
        return self
    def __len__(self):
        return len(self.data)
    def __getitem__(self, key):
        return self.data[key]
    def __float__(self):
        return float(self.data.sum())
    def __eq__(self, other):
        return True
    def __lt__(self, other):
        return True
    def __bool__(self):
        return True
    def __contains__(self, item):
        return True
    def fill(self, x):
        self.data[...] = x
        return self

def derivative(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)

class Suppress:
    def __enter__(self):
        return self
    def __exit__(self, *error):
        return True

def sort_in_place(items):
    items.sort()
    return items

def count(n):
    for i in range(n):
        yield i

class OwnError(ValueError):
    pass

def fail():
    raise OwnError("boo")

def call_quietly(f):
    try:
        f(1)
    except Exception:
        pass

def grow(mapping, names):
    mapping["new"] = 1
    names.add("z")

def total(iterator):
    return sum(iterator)

def linear(x):
    return torch.nn.functional.relu(x) * 2

def ranked(scores):
    return {name: rank for rank, name in enumerate(sorted(scores))}

def max(a, b):
    return "mine"

LIMIT = 3

def limit():
    return LIMIT

def uses_add(x):
    return add(x, 1)

def nested(depth):
    x = []
    for _ in range(depth):
        x = [x]
    return x
"""

RIGHT = {
    "plain assert": "assert add(1, 2) == 3",
    "numpy testing": "np.testing.assert_allclose(add(np.ones(3), 1), 2 * np.ones(3))",
    "torch testing": "import torch\nx = torch.tensor([-1., 2.])\ntorch.testing.assert_close(linear(x), x.relu() * 2)",
    "isinstance": "assert isinstance(Tensor([1.0]), Tensor) and not isinstance(3, Tensor)",
    "attributes": "x = Tensor([1.0, 2.0])\nx.grad = np.ones(2)\nassert x.grad.sum() == 2 and x.data[1] == 2",
    "operators": "x = 2 * Tensor([1.0, 2.0]) * 3\nassert x[1] == 12 and (-x).data[0] == -6",
    "in place operator": "x = Tensor([1.0])\nx += 2\nassert x.data[0] == 3",
    "conversions": "x = Tensor([1.0, 2.0])\nassert len(x) == 2 and float(x) == 3 and np.asarray(x.data).shape == (2,)",
    "identity": "x = kept = Tensor([1.0])\nassert x.fill(4) is x and x.data[0] == 4",
    "callback": "assert abs(derivative(lambda t: t ** 3, 2.0) - 12) < 1e-6",
    "callback gets a proxy": "seen = []\ntotal(seen.append(t) or 1 for t in [Tensor([2.0])])\nassert seen[0][0] == 2",
    "list changed in place": "x = [3, 1, 2]\ny = sort_in_place(x)\nassert x == [1, 2, 3] and y is x",
    "array changed in place": "x = np.array([3.0, 1.0])\nsort_in_place(x)\nassert list(x) == [1, 3]",
    "dict and set changed in place": "d, s = {}, {'a'}\ngrow(d, s)\nassert d == {'new': 1} and s == {'a', 'z'}",
    "generator": "assert list(count(3)) == [0, 1, 2]",
    "generator passed in": "assert total(i * i for i in range(4)) == 14",
    "own exception": "import pytest\nwith pytest.raises(OwnError):\n    fail()",
    "builtin base of own exception": "import pytest\nwith pytest.raises(ValueError, match='boo'):\n    fail()",
    "except clause": "try:\n    fail()\nexcept OwnError as error:\n    assert str(error) == 'boo'\nelse:\n    assert False",
    "approx": "import pytest\nassert add(0.1, 0.2) == pytest.approx(0.3)",
    "context manager": "with Suppress() as s:\n    pass\nassert s is not None",
    "dict result": "assert ranked({'b': 1, 'a': 2}) == {'a': 0, 'b': 1}",
    "shadowed builtin": "assert max(1, 2) == 'mine'",
    "author's own builtins": "assert len([1]) == 1 and sorted([2, 1]) == [1, 2]",
    "name from an earlier check": "assert kept.fill(5) is kept",
    "student's function taken away": (
        "kept_add = add\ndel add\ntry:\n    uses_add(1)\nexcept NameError:\n    pass\nelse:\n    assert False\n"
        "finally:\n    add = kept_add\nassert uses_add(1) == 2 and add(1, 2) == 3"
    ),
    "student's function replaced": (
        "kept_add, calls = add, []\ndef add(a, b):\n    calls.append(a)\n    return 7\n"
        "assert uses_add(5) == 7 and calls == [5]\nadd = kept_add\nassert uses_add(1) == 2"
    ),
    "variables of a check stay in the judge": "LIMIT = 99\nassert limit() == 3",
    "keep": "x = keep(add)(np.ones(2), 1)\nassert value(x).sum() == 4",
    "compare": "assert compare(Tensor([1.0]), '==', Tensor([2.0]))",
    "seeded generator": "assert add(rng.random(3), 0).shape == (3,)",
    "numpy types as arguments": "assert add(np.float32(1), np.int8(2)) == 3",
    "big integers": "assert add(2 ** 100, 1) == 2 ** 100 + 1",
    "complex": "assert add(1j, 2) == 2 + 1j",
    "torch tensor in": "import torch\nassert add(torch.ones(2), 1).tolist() == [2, 2]",
    "partial number of the last line is all points": "1.0",
    "hasattr": "assert not hasattr(Tensor([1.0]), 'nothing') and hasattr(Tensor([1.0]), 'fill')",
    "function of a check": "def half(x):\n    return add(x, 0) / 2\nassert half(4) == 2",
    "comprehension": "assert [add(i, 1) for i in range(3)] == [1, 2, 3]",
}
WRONG = {
    "false assert": "assert add(1, 2) == 4",
    "equal by their word": "assert Tensor([1.0]) == 3",
    "equal by their word, both theirs": "assert Tensor([1.0]) == Tensor([2.0])",
    "less by their word": "assert Tensor([1.0]) < 0",
    "true by their word": "assert Tensor([1.0])",
    "not by their word": "assert not Tensor([1.0])",
    "member by their word": "assert 3 in Tensor([1.0])",
    "in a list by their word": "assert Tensor([1.0]) in [1, 2]",
    "refusal caught": "try:\n    assert Tensor([1.0]) == 3\nexcept BaseException:\n    pass",
    "context manager swallows an assert": "with Suppress():\n    assert False, 'inside'",
    "student swallows the check's assert": "def f(x):\n    assert x == 2\ncall_quietly(f)",
    "value of an object": "value(Tensor([1.0]))",
    "value of a list with an object": "value([1, Tensor([1.0])])",
    "points by their word": "Tensor([1.0])",
    "nan is no number": "assert add(float('nan'), 1) == float('nan')",
    "pytest's raises without an error": "import pytest\nwith pytest.raises(ValueError):\n    add(1, 2)",
    "zero points": "0",
    "expected value beside an object": "x = Tensor([1.0]) - 1.0",
    "too deep": "assert value(nested(5000)) == []",
}
ERROR = {
    "student's error": "fail()",
    "undefined name": "nothing_here(3)",
    "more points than there are": "award(2)",
    "argument that can't cross": "class Own:\n    pass\nadd(Own(), 1)",
    "syntax": "assert add(1, 2) ==",
}


def judge_cases(court: Court, cases: dict[str, str]) -> dict[str, CheckResult]:
    names = {name: f"case-{n}" for n, name in enumerate(cases)}
    cells = [check(names[name], textwrap.dedent(text)) for name, text in cases.items()]
    source = notebook(given("import numpy as np"), solve("all", STUDENT), *cells)
    judged: Judgement = court.judge_for_staff(
        plan_notebook(source, source), Settings(), b"seed", open_pass=False
    )
    by_name: dict[str, Any] = {each.check: each for each in judged.result.checks}
    return {name: by_name[f"check-{short}"] for name, short in names.items()}


@pytest.mark.parametrize(
    ("cases", "verdict"),
    [(RIGHT, Verdict.OK), (WRONG, Verdict.WRONG), (ERROR, Verdict.ERROR)],
    ids=["right", "wrong", "error"],
)
def test_each_check_gets_its_verdict(court: Court, cases: dict[str, str], verdict: Verdict) -> None:
    results = judge_cases(court, cases)
    assert {name: result.verdict for name, result in results.items()} == dict.fromkeys(cases, verdict)


def test_only_passed_checks_earn(court: Court) -> None:
    results = judge_cases(court, {**WRONG, **ERROR})
    assert {result.points for result in results.values()} == {0}


def test_partial_credit_by_award_and_by_last_number(court: Court) -> None:
    cells = [
        check("award", "award(3, 'nearly')\nassert False", points=4),
        check("number", "assert add(1, 1) == 2\n2.5", points=4),
        check("word", "'anything'", points=4),
        check("negative", "-1", points=4),
    ]
    source = notebook(solve("all", STUDENT), *cells)
    result = court.judge(plan_notebook(source, source), Settings(), b"seed")
    assert [each.points for each in result.checks] == [3, 2.5, 4, 4]
    assert result.checks[0].message == "nearly"


def test_expected_values_reach_the_author_in_words(court: Court) -> None:
    source = notebook(solve("all", STUDENT), check("c", "assert Tensor([1.0]) == 3"))
    judged = court.judge_for_staff(plan_notebook(source, source), Settings(), b"seed", open_pass=False)
    assert "np.asarray(x)" in judged.staff["check-c"]
