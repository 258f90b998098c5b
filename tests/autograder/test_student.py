"""The students' race, on a clock of its own: no real time is measured."""

from __future__ import annotations

import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import pytest
import torch

from autograder.errors import AuthorError
from autograder.speed.interval import LOOKS
from autograder.student import Race, race

Function = Callable[..., Any]


class Machine:
    """Functions that take time on a clock of their own."""

    def __init__(self, seed: int = 0) -> None:
        self.now = 0.0
        self.rng = np.random.default_rng(seed)
        self.calls: list[str] = []

    def clock(self) -> float:
        return self.now

    def takes(
        self, seconds: float, name: str = "", output: Function = lambda x: x, noise: float = 0.05
    ) -> Function:
        def function(*arguments: Any) -> Any:
            self.now += seconds * math.exp(noise * self.rng.normal())
            self.calls.append(name)
            return output(*arguments)

        return function


def draw(rng: np.random.Generator) -> tuple[Any, ...]:
    return (rng.random(4),)


def run(mine: float, theirs: float = 0.01, seconds: float = 2.0, **options: Any) -> Race:
    machine = Machine()
    return race(
        machine.takes(mine), machine.takes(theirs), draw,
        seconds=seconds, rng=np.random.default_rng(1), clock=machine.clock, **options,
    )  # fmt: skip


def test_the_ratio_is_how_many_times_as_fast_as_the_baseline() -> None:
    found = run(0.005)
    assert found.low < 2 < found.high and found.low > 1.8 and found.high < 2.2
    assert str(found).startswith(f"{found.ratio:.3g} times the baseline's speed (99.9 % interval ")
    assert str(found).endswith(f"{found.pairs} pairs): faster than the baseline.")
    assert repr(found) == str(found)


def test_slower_and_undecided_are_said() -> None:
    assert "slower than the baseline" in str(run(0.02))
    assert "undecided who is faster" in str(run(0.01))


def test_it_stops_when_time_is_spent_and_at_the_last_look() -> None:
    assert run(0.05, 0.05).pairs == pytest.approx(18, abs=4)
    assert run(0.0005, 0.0005, seconds=1e6).pairs == LOOKS[-1]


def test_too_few_pairs_ask_for_more_seconds() -> None:
    found = run(1.0, 1.0)
    assert found.pairs < 3 and not found.decided
    assert "too few for an interval: allow more seconds" in str(found)
    assert "<rect" not in found._repr_svg_()


def test_bands_say_the_points_that_this_speed_would_earn() -> None:
    bands = {0.5: 2, 1.5: 4, 3.0: 5}
    assert str(run(0.005, bands=bands)).endswith("4 points.")
    assert str(run(0.01 / 1.5, bands=bands)).endswith("undecided, 2 to 4 points.")
    with pytest.raises(AuthorError):
        run(0.01, bands={})


def test_short_calls_are_batched_and_each_gets_inputs_of_its_own() -> None:
    machine, seen = Machine(), []

    def keep(x: Any) -> Any:
        seen.append(x[0])
        return x

    race(
        machine.takes(1e-4, output=keep), machine.takes(1e-4), draw,
        seconds=0.2, rng=np.random.default_rng(1), clock=machine.clock,
    )  # fmt: skip
    assert len(set(seen)) == len(seen) > 15 * 14


def test_the_order_within_a_pair_is_random() -> None:
    machine = Machine()
    race(
        machine.takes(0.01, "mine"), machine.takes(0.01, "theirs"), draw,
        rng=np.random.default_rng(1), clock=machine.clock,
    )  # fmt: skip
    first = machine.calls[::2]
    assert 0.3 < first.count("mine") / len(first) < 0.7


def test_a_function_that_changes_its_arguments_changes_only_its_own() -> None:
    def spoil(x: Any) -> Any:
        total = x.sum()
        x[:] = 0
        return total

    machine = Machine()
    found = race(
        machine.takes(0.01, output=spoil), machine.takes(0.01, output=spoil), draw, clock=machine.clock
    )
    assert found.difference == ""


@pytest.mark.parametrize(
    ("mine", "right", "words"),
    [
        (lambda x: x + 1, lambda x: x, "Outputs differ by up to 1."),
        (lambda x: x[:2], lambda x: x, "yours has shape (2,), the baseline's (4,)"),
        (lambda x: None, lambda x: x, "Outputs"),
        (lambda x: x * np.nan, lambda x: x, "Outputs differ"),
        (lambda x: (x, 1.0), lambda x: (x, 2.0), "Outputs differ by up to 1."),
        (lambda x: x > 2, lambda x: x > -2, "Outputs differ by up to 1."),
        (lambda x: x * np.inf, lambda x: -x * np.inf, "Outputs differ by up to inf."),
        (lambda x: "a", lambda x: "b", "can't be compared: str and str"),
    ],
)
def test_outputs_that_differ_are_said_before_any_speed(mine: Function, right: Function, words: str) -> None:
    machine = Machine()
    found = race(
        machine.takes(0.001, output=mine), machine.takes(0.01, output=right), draw, clock=machine.clock
    )
    assert words in str(found)[:100] and str(found).startswith("Outputs")


@pytest.mark.parametrize(
    ("mine", "right"),
    [
        (lambda x: x * (1 + 1e-9), lambda x: x),
        (lambda x: x.tolist(), lambda x: x),
        (lambda x: torch.tensor(x, requires_grad=True), lambda x: torch.tensor(x)),
        (lambda x: (x, [x[:2], 1.0]), lambda x: [x, (x[:2], 1.0)]),
    ],
)
def test_outputs_that_agree_need_not_be_of_one_type(mine: Function, right: Function) -> None:
    machine = Machine()
    found = race(
        machine.takes(0.01, output=mine), machine.takes(0.01, output=right), draw, clock=machine.clock
    )
    assert found.difference == ""


def test_an_error_of_the_functions_is_shown_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        race(lambda x: 1 / 0, lambda x: x, draw)


def test_arguments_come_as_a_tuple() -> None:
    with pytest.raises(TypeError, match="tuple of arguments"):
        race(abs, abs, lambda rng: rng.random())  # type: ignore[arg-type,return-value]


def test_a_clock_too_coarse_to_see_a_call_breaks_nothing() -> None:
    found = race(abs, abs, lambda rng: (rng.random(),), clock=lambda: 0.0)
    assert found.ratio == 1 and found.pairs == LOOKS[-1]


@pytest.mark.parametrize("mine", [0.0001, 0.005, 0.01, 0.9])
@pytest.mark.parametrize("bands", [None, {0.5: 2, 1.0: 4, 3.0: 5}])
def test_the_plot_shows_every_pair_the_interval_and_the_marks(mine: float, bands: Any) -> None:
    found = run(mine, bands=bands)
    space = "{http://www.w3.org/2000/svg}"
    drawn = ElementTree.fromstring(found._repr_svg_())  # noqa: S314 - our own
    assert len(drawn.findall(f".//{space}circle")) == found.pairs
    assert [each.text for each in drawn.findall(f"{space}text")] == (["0.5", "1", "3"] if bands else ["1"])
    assert drawn.get("aria-label") == str(found)
    places = [float(each.get("cx", "nan")) for each in drawn.findall(f".//{space}circle")]
    assert all(0 <= place <= 440 for place in places)
    assert escape(str(found)) in found._repr_html_() and found._repr_svg_() in found._repr_html_()


def test_it_takes_nothing_of_the_platform_but_its_statistics() -> None:
    """It is put into students' boxes; the rest of the platform isn't."""
    program = "import sys, autograder.student; print(*sorted(m for m in sys.modules if m.startswith('autograder')), sep=',', end='')"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert loaded.split(",") == [
        "autograder", "autograder.errors", "autograder.speed", "autograder.speed.interval",
        "autograder.speed.score", "autograder.student",
    ]  # fmt: skip
