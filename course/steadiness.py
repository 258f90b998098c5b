"""How steady a race is: the same submission raced again and again must get the same points.

Contract: pure; from the results of a case's judgements to a record for each check that raced.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from autograder.judge import NOTABLE_OVERHEAD, CheckResult, NotebookResult, RaceKind, RaceResult, Verdict

NEAR = 0.10
SMOOTH_ROOM = 0.05  # of what a smooth score spans: two decided races may differ by twice its tolerance


@dataclass(frozen=True)
class Steadiness:
    """A check's races in all judgements of a case.

    ``ratio`` is the median of the races' ratios (an exponent for growth), ``spread`` their range as a part
    of it, ``pairs`` the median of the pairs used and ``decided`` the part of races that were decided before
    time ran out. ``points`` are the different points given, the most frequent first, and ``changes`` how
    many judgements didn't give those; ``room`` is by how much points may differ (smooth scores).
    ``overhead`` is the part of the reference's turns that goes into handing over. ``nearest`` is the mark
    nearest to the ratio and ``distance`` how far it is, as a part of the mark.
    """

    check: str
    question: str
    kind: RaceKind
    races: int
    ratio: float
    spread: float
    pairs: float
    decided: float
    points: tuple[float, ...]
    changes: int
    room: float
    overhead: float
    nearest: float | None
    distance: float | None

    @property
    def heavy(self) -> str:
        """What its author should change where handing over takes a notable part of the time, or ""."""
        if self.overhead <= NOTABLE_OVERHEAD:
            return ""
        return (
            f"handing over takes {100 * self.overhead:.2g} % of the reference's turns: make the function do "
            "more for each byte"
        )

    @property
    def close(self) -> str:
        """What its author should change where the ratio is close to a mark, or ""."""
        if self.distance is None or self.distance >= NEAR:
            return ""
        return f"within {100 * NEAR:.0f} % of the mark {self.nearest:g}: move the mark"

    @property
    def wavering(self) -> str:
        """Why a case can't be proved with it; "" where all judgements gave the same points."""
        if max(self.points) - min(self.points) <= self.room:
            return ""
        given = " and ".join(f"{points:g}" for points in self.points)
        return f"{self.check} got {given} points for the same code ({self.changes} of {self.races} differ)"


def steadiness(
    results: Sequence[NotebookResult], questions: Collection[str] | None = None
) -> tuple[Steadiness, ...]:
    """A record for each check that raced in any of a case's judgements; of these questions, None for all.

    A fault of the platform's says nothing about a race.
    """
    by_check: dict[str, list[CheckResult]] = {}
    for result in results:
        for check in result.checks:
            asked = questions is None or check.question in questions
            if asked and check.verdict is not Verdict.FAULT:
                by_check.setdefault(check.check, []).append(check)
    return tuple(found for each in by_check.values() for found in _of_check(each))


def _of_check(results: Sequence[CheckResult]) -> Iterator[Steadiness]:
    races = [check.race for check in results if check.race is not None]
    if not races:
        return
    given = [round(check.points, 6) for check in results]
    often = sorted(dict.fromkeys(given), key=given.count, reverse=True)
    ratios = [race.ratio for race in races]
    middle = median(ratios)
    nearest, distance = _nearest(races[0], middle)
    yield Steadiness(
        check=results[0].check,
        question=results[0].question,
        kind=races[0].kind,
        races=len(results),
        ratio=middle,
        spread=(max(ratios) - min(ratios)) / middle if 0 < middle < math.inf else 0.0,
        pairs=median(race.pairs for race in races),
        decided=sum(race.decided for race in races) / len(races),
        points=tuple(often),
        changes=sum(points != often[0] for points in given),
        room=_room(races[0]),
        overhead=median(race.overhead for race in races),
        nearest=nearest,
        distance=distance,
    )


def _nearest(race: RaceResult, ratio: float) -> tuple[float | None, float | None]:
    if race.smooth or not race.marks or not ratio > 0:
        return None, None
    nearest = min((mark for mark, _ in race.marks), key=lambda mark: abs(math.log(ratio / mark)))
    return nearest, abs(ratio / nearest - 1)


def _room(race: RaceResult) -> float:
    return SMOOTH_ROOM * (race.marks[-1][1] - race.marks[0][1]) if race.smooth and race.marks else 1e-6
