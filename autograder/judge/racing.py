"""race, race_memory and race_growth for checks: the student's function against the reference's, each in
its own box behind its own turnstile."""

from __future__ import annotations

import ast
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.errors import AuthorError
from autograder.judge.helpers import Award, generator
from autograder.judge.link import Link, StudentError
from autograder.judge.plan import CheckStep
from autograder.judge.proxy import Proxy
from autograder.judge.records import RaceResult
from autograder.sandbox.arena import ALIGNMENT, HALF
from autograder.sandbox.wire import MAX_BODY, Encoder, Tail, packed
from autograder.speed.race import Inputs, Measurement, WrongOutput, race
from autograder.speed.score import Bands, Score, Smooth

BUDGET_SECONDS = 6.0
LATER = "Speed is measured when your notebook is graded, once every other check of this question passes."
RACES = ("race",)


class BoxRunner:
    """A function of one box, called through its link and timed by its turnstile."""

    def __init__(self, link: Link, function: Any) -> None:
        self.link = link
        self.function = function

    def run(self, calls: Sequence[Inputs]) -> tuple[list[Any], float]:
        outputs, turn = self.link.timed(self.function, list(calls))
        return outputs, turn.nanoseconds / 1e9


class IdleRunner(BoxRunner):
    """A function that takes what the raced one takes, returns what it returned, and does nothing."""

    def __init__(self, link: Link, inputs: Inputs, output: Any) -> None:
        super().__init__(link, link.request("constant", output))
        self.most_calls = max(1, min(most_calls(inputs), most_calls(output)))


def most_calls(handed: Any) -> int:
    """How many calls that hand over as much as this fit into one turn."""
    tail = Tail()
    body = packed(Encoder(lambda x: None, tail).encode(handed))
    return min(MAX_BODY // 2 // len(body), HALF // (tail.size + (len(tail.parts) + 1) * ALIGNMENT))


def race_helper(
    link: Link, reference: Link | None, step: CheckStep, seed: bytes, *, open_pass: bool
) -> Callable[..., None]:
    """The ``race`` of one check. The function's name is read from the check's own source, for a
    function's ``__name__`` is the student's to choose."""

    def race_against_reference(
        f: Any,
        make_inputs: Callable[[np.random.Generator], Inputs],
        bands: Mapping[float, float] | None = None,
        smooth: Mapping[float, float] | None = None,
        check: Callable[[Inputs, Any], bool] | None = None,
        rtol: float = 1e-6,
        atol: float = 1e-9,
        budget: float = BUDGET_SECONDS,
    ) -> None:
        """Ends the check with the points that the ratio reference / student seconds is worth.

        ``bands`` {ratio: points} gives the points of the highest ratio that is reached, ``smooth`` of two
        such entries draws a line between them over the ratio's logarithm. ``make_inputs(rng)`` returns a
        fresh tuple of arguments. Each timed call's output must be plain data that agrees with the
        reference's within ``rtol`` and ``atol``, or satisfy ``check(arguments, output)``.
        """
        score = score_of(bands, smooth)
        if open_pass:
            raise Award(step.points, LATER, ours=True)
        rival = required(reference, step)
        name = raced_name(step.source)
        try:
            measured = race(
                BoxRunner(link, link.request("name", name)),
                BoxRunner(rival, rival.request("name", name)),
                lambda inputs, output: IdleRunner(rival, inputs, output),
                make_inputs, agreement(check, rtol, atol), score,
                rng=generator(hashlib.sha256(seed + b"race").digest(), step.check),
                clock=time.monotonic, budget=budget,
            )  # fmt: skip
        except WrongOutput:
            raise Award(0, "A timed call of your function returned a wrong result.", ours=True) from None
        raise Award(
            score.points(measured), race_message(measured, score), race_result(measured, score), ours=True
        )

    return race_against_reference


def required(reference: Link | None, step: CheckStep) -> Link:
    if reference is None:
        raise AuthorError(f"check {step.check}: race() needs speed=true on its cell")
    return reference


def score_of(bands: Mapping[float, float] | None, smooth: Mapping[float, float] | None) -> Score:
    if bands is not None and smooth is None:
        return Bands(bands)
    if smooth is not None and bands is None:
        return Smooth(smooth)
    raise AuthorError("race: give one of bands={ratio: points, …} and smooth={ratio: points, ratio: points}")


def raced_name(source: str) -> str:
    """The name that a check's one race call is about."""
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RACES
    ]
    if len(calls) != 1 or not calls[0].args or not isinstance(calls[0].args[0], ast.Name):
        raise AuthorError(
            "a speed check has exactly one race(function, …) call, with the function's name first"
        )
    return calls[0].args[0].id


def agreement(
    check: Callable[[Inputs, Any], bool] | None, rtol: float, atol: float
) -> Callable[[Inputs, Any, Any], bool]:
    def agree(inputs: Inputs, mine: Any, right: Any) -> bool:
        if isinstance(mine, Proxy):
            return False
        if check is not None:
            return bool(check(inputs, mine))
        try:
            same_shape = np.shape(mine) == np.shape(right)
            return same_shape and bool(np.allclose(mine, right, rtol=rtol, atol=atol))
        except (TypeError, ValueError, StudentError):
            return False

    return agree


def race_result(measured: Measurement, score: Score) -> RaceResult:
    return RaceResult(
        ratio=measured.ratio,
        low=measured.low,
        high=measured.high,
        pairs=len(measured.samples),
        decided=measured.decided,
        samples=measured.samples,
        marks=tuple(score.marks),
        smooth=score.smooth,
        overhead=measured.overhead,
    )


def race_message(measured: Measurement, score: Score) -> str:
    """The ratio, its interval and the marks, for the student."""
    table = ", ".join(f"{points:g} points from {ratio:g}" for ratio, points in score.marks)
    word = "" if measured.decided else " (undecided: the bound in your favour counts)"
    return (
        f"Speed: {measured.ratio:.2f} of the reference's"
        f" (99.9 % interval {measured.low:.2f} to {measured.high:.2f}){word}; {table}."
    )
