"""The assignment that the hostile submissions aim at: two questions of five points."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve

ATTACKS = Path(__file__).parent.parent / "attacks"
DOUBLE_HIDDEN = """
for x in (3, 21, -4):
    assert double(x) == 2 * x, "double is off"
got = double(0.5)
assert abs(got - 1) < 1e-9, "double is off for a float"
"""
NORM_HIDDEN = """
got = norm(np.array([6.0, 8.0]))
np.testing.assert_allclose(got, 10, err_msg="norm is off")
"""
REFERENCE = {
    "double": "def double(x):\n    return 2 * x",
    "norm": "def norm(v):\n    return float((v ** 2).sum()) ** 0.5",
}
STUB = {name: f"def {name}(x):\n    raise NotImplementedError('{name}')" for name in REFERENCE}


@dataclass(frozen=True)
class Attack:
    """One hostile submission: ``extra`` cells stand before and after the questions' cells."""

    name: str
    mark: float
    verdict: str | None
    leak: str | None
    answers: dict[str, str]
    before: tuple[str, ...]
    after: tuple[str, ...]

    def submission(self) -> Any:
        return assignment({**STUB, **self.answers}, self.before, self.after)


def assignment(answers: dict[str, str], before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Any:
    """The target's notebook with these answers."""
    return notebook(
        given("import numpy as np"),
        *map(scratch, before),
        solve("double", answers["double"]),
        check("double", "assert double(1) == 2", DOUBLE_HIDDEN, points=5, question="double"),
        solve("norm", answers["norm"]),
        check(
            "norm",
            "assert abs(norm(np.array([3.0, 4.0])) - 5) < 1e-9",
            NORM_HIDDEN,
            points=5,
            question="norm",
        ),
        *map(scratch, after),
    )


def read_attack(path: Path) -> Attack:
    """Parses an attack's header and cells."""
    head, *cells = re.split(r"^# %%", path.read_text(), flags=re.MULTILINE)
    header = tomllib.loads("\n".join(line.removeprefix("# ") for line in head.splitlines()))
    answers: dict[str, str] = {}
    before: list[str] = []
    after: list[str] = []
    for cell in cells:
        first, _, body = cell.partition("\n")
        solved = re.search(r'solve="([a-z]+)"', first)
        if solved:
            answers[solved[1]] = body
        else:
            (after if answers else before).append(body)
    unknown = set(header) - {"goal", "trick", "mark", "verdict", "leak"}
    if unknown or not {"goal", "trick", "mark"} <= set(header):
        raise ValueError(f"{path.name}: the header needs goal, trick and mark, and has {sorted(header)}")
    return Attack(
        path.stem,
        header["mark"],
        header.get("verdict"),
        header.get("leak"),
        answers,
        tuple(before),
        tuple(after),
    )


def attacks() -> list[Attack]:
    return [read_attack(path) for path in sorted(ATTACKS.glob("*.py"))]
