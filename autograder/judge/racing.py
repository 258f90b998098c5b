"""race, race_memory and race_growth for checks: the student's function against the reference's, each in
its own box behind its own turnstile."""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.errors import AuthorError
from autograder.judge.helpers import Award, generator
from autograder.judge.link import Link, StudentError
from autograder.judge.plan import CheckStep
from autograder.judge.proxy import Proxy
from autograder.judge.records import RaceKind, RaceResult
from autograder.sandbox.arena import ALIGNMENT, HALF
from autograder.sandbox.frames import MAX_BODY
from autograder.sandbox.wire import Encoder, Tail, packed
from autograder.speed.growth import WITHIN, Growth, check_claim, measure_growth
from autograder.speed.memory import GRAIN, ROUNDS, Baseline, extra, footprint, student_baseline
from autograder.speed.memory import ratio as memory_ratio
from autograder.speed.race import Inputs, Measurement, Track, WrongOutput, race
from autograder.speed.score import Bands, Score, Smooth

BUDGET_SECONDS = 24.0
BUDGET_SHARE = 0.8  # of what its check may still take: a race that stays undecided ends before its check does
LATER = "Speed is measured when your notebook is graded, once every other check of this question passes."
RACES = ("race", "race_memory", "race_growth")
RTOL, ATOL = 1e-6, 1e-9
MakeInputs = Callable[[np.random.Generator], Inputs]
Check = Callable[[Inputs, Any], bool]


class BoxRunner:
    """A function of one box, called through its link and timed by its turnstile."""

    def __init__(self, link: Link, function: Any) -> None:
        self.link = link
        self.function = function
        self.baseline: Baseline | None = None
        self.instructions: list[float] = []
        self.wall = 0

    def settle(self) -> None:
        """Has the box's memory of small objects not depend on what was run in it before."""
        self.link.request("settle")

    def run(self, calls: Sequence[Inputs]) -> tuple[list[Any], float]:
        outputs, turn = self.link.timed(self.function, list(calls))
        if turn.instructions >= 0 and calls:
            self.instructions.append(turn.instructions / len(calls))
        self.wall = turn.wall
        return outputs, turn.nanoseconds / 1e9

    def handing_over(self) -> float:
        """Seconds of the last turn that weren't its calls', as the box says."""
        return max(0, self.wall - self.link.took) / 1e9

    def idle(self, inputs: Inputs, output: Any) -> IdleRunner:
        """One of the same box that takes these inputs, returns this output, and does nothing."""
        return IdleRunner(self.link, inputs, output)

    def read_through(self, inputs: Inputs, output: Any) -> None:
        """Has the box touch what is shared with it, so that a call's own memory is what it adds."""
        self.link.timed(self.link.request("reader", output), [inputs])
        self.link.request("value", None)  # the box lets go of the reader, and of what it returned

    def weigh(self, inputs: Inputs, rival: BoxRunner | None = None) -> tuple[list[Any], int]:
        """The output of one call, and the bytes that it needed. A student's is held against its rival's."""
        outputs, turn = self.link.timed(self.function, [inputs])
        self.baseline = self.baseline or Baseline(self.link.resident_at_start, turn.resident)
        if rival is None or rival.baseline is None:
            return outputs, extra(turn, self.baseline.before)
        return outputs, extra(turn, student_baseline(self.baseline, rival.baseline))


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


class Races:
    """race, race_memory and race_growth of one check. The function's name is read from the check's own
    source, for a function's ``__name__`` is the student's to choose."""

    def __init__(
        self, link: Link, reference: Link | None, step: CheckStep, seed: bytes, *, open_pass: bool
    ) -> None:
        self.link = link
        self.reference = reference
        self.step = step
        self.seed = seed
        self.open_pass = open_pass

    @functools.cached_property
    def rng(self) -> np.random.Generator:
        return generator(hashlib.sha256(self.seed + b"race").digest(), self.step.check)

    def helpers(self) -> dict[str, Callable[..., None]]:
        return dict(zip(RACES, (self.race, self.race_memory, self.race_growth), strict=True))

    def race(
        self,
        f: Any,
        make_inputs: MakeInputs,
        bands: Mapping[float, float] | None = None,
        smooth: Mapping[float, float] | None = None,
        check: Check | None = None,
        rtol: float = RTOL,
        atol: float = ATOL,
        budget: float = BUDGET_SECONDS,
    ) -> None:
        """Ends the check with the points that the ratio reference / student seconds is worth.

        ``bands`` {ratio: points} gives the points of the highest ratio that is reached, ``smooth`` of two
        such entries draws a line between them over the ratio's logarithm. ``make_inputs(rng)`` returns a
        fresh tuple of arguments. Each timed call's output must be plain data that agrees with the
        reference's within ``rtol`` and ``atol``, or satisfy ``check(arguments, output)``.
        """
        score = score_of(bands, smooth)
        mine, rival = self.settled_sides()
        with wrong_output_ends():
            measured = race(
                mine, rival, rival.idle, make_inputs, agreement(check, rtol, atol), score,
                rng=self.rng, clock=time.monotonic, budget=self.in_time(budget),
            )  # fmt: skip
        result = race_result(measured, score, RaceKind.SPEED)
        if mine.instructions and rival.instructions:
            counted = (float(np.median(mine.instructions)), float(np.median(rival.instructions)))
            result = replace(result, instructions=counted)
        raise Award(score.points(measured), race_message(result), result, ours=True)

    def race_memory(
        self,
        f: Any,
        make_inputs: MakeInputs,
        bands: Mapping[float, float] | None = None,
        smooth: Mapping[float, float] | None = None,
        at_most: float | None = None,
        check: Check | None = None,
        rtol: float = RTOL,
        atol: float = ATOL,
    ) -> None:
        """Ends the check with the points that the extra memory of a call is worth: its peak in bytes above
        what was there before, handing over not counted.

        ``bands`` and ``smooth`` are of the ratio reference / student bytes. ``at_most`` is all or nothing:
        so many times the bytes of the arguments, and a megabyte (0: in place). The rest as in ``race``.
        """
        agree = agreement(check, rtol, atol)
        mine, rival = self.sides()
        inputs = make_inputs(self.rng)
        rival.read_through(inputs, None)
        (right,), _ = rival.weigh(inputs)
        mine.read_through(inputs, right)
        handed = handed_bytes(right)  # came into the reference's box with that call, after its baseline
        samples = []
        with wrong_output_ends():
            for _ in range(ROUNDS):
                inputs = make_inputs(self.rng)
                (right,), theirs = rival.weigh(inputs)
                (got,), ours = mine.weigh(inputs, rival)
                if not agree(inputs, got, right):
                    raise WrongOutput
                samples.append((float(ours), float(max(0, theirs - handed))))
        score = memory_score(bands, smooth, at_most, self.step.points, handed_bytes(inputs), samples)
        measured = footprint(samples)
        result = race_result(measured, score, RaceKind.MEMORY)
        raise Award(score.points(measured), race_message(result), result, ours=True)

    def race_growth(
        self,
        f: Any,
        make_inputs: Callable[[np.random.Generator, int], Inputs],
        sizes: Sequence[int],
        at_most: str,
        within: float = WITHIN,
        check: Check | None = None,
        rtol: float = RTOL,
        atol: float = ATOL,
        budget: float = BUDGET_SECONDS,
    ) -> None:
        """Ends the check with all its points where time grows with size like ``at_most`` ("n log n") at
        most, with none where it grows faster. ``make_inputs(rng, size)`` returns a fresh tuple of arguments.

        The student may take ``within`` times the reference's seconds at the smallest and at the largest
        size, and no more. The rest as in ``race``.
        """
        check_claim(sizes, at_most, within)
        agree = agreement(check, rtol, atol)
        mine, rival = self.settled_sides()
        tracks = {
            size: Track(
                mine, rival, rival.idle, functools.partial(of_size, make_inputs, size), agree, self.rng
            )
            for size in sizes
        }
        with wrong_output_ends():
            for track in tracks.values():
                track.warm_up()
            found = measure_growth(
                lambda size: tracks[size].pair(), sizes, at_most,
                rng=self.rng, clock=time.monotonic, budget=self.in_time(budget), within=within,
            )  # fmt: skip
        points = self.step.points if found.holds else 0.0
        result = growth_result(found, self.step.points)
        raise Award(points, growth_message(found), result, ours=True)

    def in_time(self, budget: float) -> float:
        """Seconds for a race that may take ``budget``."""
        return min(budget, BUDGET_SHARE * (self.link.deadline - time.monotonic()))

    def settled_sides(self) -> tuple[BoxRunner, BoxRunner]:
        """The sides of a race for time."""
        mine, rival = self.sides()
        rival.settle()
        mine.settle()
        return mine, rival

    def sides(self) -> tuple[BoxRunner, BoxRunner]:
        """The student's function and the reference's. In the open pass it ends the check instead."""
        name = raced_name(self.step.source)
        if self.open_pass:
            raise Award(self.step.points, LATER, ours=True)
        if self.reference is None:
            raise AuthorError(f"check {self.step.check}: a race needs speed=true on its cell")
        return (
            BoxRunner(self.link, self.link.request("name", name)),
            BoxRunner(self.reference, self.reference.request("name", name)),
        )


def of_size(
    make_inputs: Callable[[np.random.Generator, int], Inputs], size: int, rng: np.random.Generator
) -> Inputs:
    return make_inputs(rng, size)


@contextlib.contextmanager
def wrong_output_ends() -> Iterator[None]:
    try:
        yield
    except WrongOutput:
        raise Award(0, "A timed call of your function returned a wrong result.", ours=True) from None


def handed_bytes(x: Any) -> int:
    """The bytes of the arrays and tensors in ``x``."""
    tail = Tail()
    Encoder(lambda each: None, tail).encode(x)
    return tail.size


def memory_score(
    bands: Mapping[float, float] | None,
    smooth: Mapping[float, float] | None,
    at_most: float | None,
    points: float,
    arguments: int,
    samples: Sequence[tuple[float, float]],
) -> Score:
    """The score asked for; ``at_most`` as the ratio that it means beside this reference."""
    if at_most is None:
        return score_of(bands, smooth)
    if bands is not None or smooth is not None or not at_most >= 0:
        raise AuthorError("race_memory: at_most is a number from 0 up, without bands or smooth beside it")
    reference = float(np.median([theirs for _, theirs in samples]))
    return Bands({memory_ratio(at_most * arguments + GRAIN, reference): points})


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
            "a speed check has exactly one race(function, …) call (or race_memory, race_growth), with the "
            "function's name first"
        )
    return calls[0].args[0].id


def agreement(check: Check | None, rtol: float, atol: float) -> Callable[[Inputs, Any, Any], bool]:
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


def race_result(measured: Measurement, score: Score, kind: RaceKind) -> RaceResult:
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
        kind=kind,
    )


def race_message(result: RaceResult) -> str:
    """The ratio, its interval and the marks, for the student."""
    table = ", ".join(f"{points:g} points from {ratio:.3g}" for ratio, points in result.marks)
    word = "" if result.decided else " (undecided: the bound in your favour counts)"
    bounds = f"{result.low:.2f} to {result.high:.2f}"
    if result.kind is RaceKind.MEMORY:
        mine, rival = (float(np.median(side)) / 1e6 for side in zip(*result.samples, strict=True))
        return (
            f"Memory: a call needs {mine:.0f} MB beside its arguments, the reference {rival:.0f} MB:"
            f" {result.ratio:.2f} ({bounds}){word}; {table}."
        )
    return f"Speed: {result.ratio:.2f} of the reference's (99.9 % interval {bounds}){word}; {table}."


def growth_result(found: Growth, points: float) -> RaceResult:
    return RaceResult(
        ratio=found.exponent,
        low=found.low,
        high=found.high,
        pairs=found.rounds,
        decided=found.decided,
        samples=tuple((float(size), seconds) for size, seconds in found.samples),
        kind=RaceKind.GROWTH,
        marks=((found.bound, points),),
    )


def growth_message(found: Growth) -> str:
    word = "" if found.decided else " (undecided: that counts in your favour)"
    slow = "" if found.holds or found.low > found.bound else "; it takes too many times the reference's time"
    return (
        f"Growth: time grows like n^{found.exponent:.2f} ({found.low:.2f} to {found.high:.2f}){word};"
        f" {found.claim} is n^{found.bound:.2f} at most over these sizes{slow}."
    )
