"""race(...) for checks: the student's function against the reference's, each in its own box."""

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
from autograder.speed.race import Inputs, Measurement, WrongOutput, race
from autograder.speed.score import band_points, check_bands

BUDGET_SECONDS = 6.0


class BoxRunner:
    """One box's function, called through its link."""

    def __init__(self, link: Link, name: str) -> None:
        self.link = link
        self.function = link.request("name", name)

    def place(self, inputs: Sequence[Inputs]) -> Any:
        return tuple(self.link.request("place", each) for each in inputs)

    def run(self, placed: Any) -> list[Any]:
        outputs = self.link.request("batch", self.function, placed)
        return outputs if type(outputs) is list else []


def race_helper(link: Link, reference: Link | None, step: CheckStep, seed: bytes) -> Callable[..., None]:
    """The ``race`` of one check. The function's name is read from the check's own source, for a
    function's ``__name__`` is the student's to choose."""

    def race_against_reference(
        f: Any,
        make_inputs: Callable[[np.random.Generator], Inputs],
        bands: Mapping[float, float],
        check: Callable[[Inputs, Any], bool] | None = None,
        rtol: float = 1e-6,
        atol: float = 1e-9,
        budget: float = BUDGET_SECONDS,
    ) -> None:
        """Ends the check with the points of the band that the ratio reference / student reaches.

        ``make_inputs(rng)`` returns a fresh tuple of arguments. Each timed call's output must
        be plain data that agrees with the reference's within ``rtol`` and ``atol``, or satisfy
        ``check(arguments, output)``.
        """
        if reference is None:
            raise AuthorError(f"check {step.check}: race() needs speed=true on its cell")
        check_bands(bands)
        agree = agreement(check, rtol, atol)
        name = raced_name(step.source)
        try:
            measured = race(
                BoxRunner(link, name), BoxRunner(reference, name), make_inputs, agree, sorted(bands),
                rng=generator(hashlib.sha256(seed + b"race").digest(), step.check),
                clock=time.perf_counter, budget=budget,
            )  # fmt: skip
        except WrongOutput:
            raise Award(0, "A timed call of your function returned a wrong result.", ours=True) from None
        points = band_points(measured, bands)
        raise Award(points, race_message(measured, bands), race_result(measured, bands), ours=True)

    return race_against_reference


def raced_name(source: str) -> str:
    """The name that a check's one ``race`` call is about."""
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "race"
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


def race_result(measured: Measurement, bands: Mapping[float, float]) -> RaceResult:
    return RaceResult(
        ratio=measured.ratio,
        low=measured.low,
        high=measured.high,
        pairs=len(measured.samples),
        decided=measured.decided,
        samples=measured.samples,
        marks=tuple(sorted(bands.items())),
    )


def race_message(measured: Measurement, bands: Mapping[float, float]) -> str:
    """The ratio, its interval and the bands, for the student."""
    table = ", ".join(f"{points:g} points from {ratio:g}" for ratio, points in sorted(bands.items()))
    word = "" if measured.decided else " (undecided: the bound in your favour counts)"
    return (
        f"Speed: {measured.ratio:.2f} of the reference's"
        f" (99.9 % interval {measured.low:.2f} to {measured.high:.2f}){word}; {table}."
    )
