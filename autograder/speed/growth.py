"""How time grows with size: whether a function keeps to "at most n log n".

Contract: a round measures every size once, in random order, and yields one exponent, the slope of log
seconds over log size. The interval of the median exponent over rounds decides: at or below the bound the
claim holds, above it the claim fails; what the budget leaves open goes to the student.

Theory of operation. A machine that is throttled for a whole round shifts the round's line and not its
slope, and one that changes within a round hits sizes at random; so rounds are the units, independent of
each other, and the interval is that of a race. The bound is the claim's own slope over the same sizes (n
log n has 1.12 about n = 5,000) plus MARGIN. The margin is for caches, which make a linear pass over more
data than they hold look like n^1.1; it is less than half of what lies between n log n and n^1.5, the two
nearest classes that sizes in practice can tell apart. Where the reference, which keeps to the claim,
itself grows faster than the claim says, up to another MARGIN is granted. An overhead that is the same at
each size flattens the slope, in the student's favour.

Useless work at small sizes would flatten it as well. It can't make the largest size cheaper, though: the
student may take ``within`` times the reference's seconds at the smallest size and at the largest, and no
more. So choose the largest size such that a worse class needs more than that many times the reference's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.errors import AuthorError
from autograder.speed.interval import LOOKS, Interval, interval, is_look

MARGIN = 0.15
WITHIN = 50.0
FEWEST_ROUNDS = 5
HOPELESS_FACTOR = 3.0
SHORTEST_SECONDS = 1e-9
CLAIMS: Mapping[str, Callable[[float], float]] = {
    "1": lambda n: 1.0,
    "log n": lambda n: math.log(n),
    "n": lambda n: n,
    "n log n": lambda n: n * math.log(n),
    "n^1.5": lambda n: n**1.5,
    "n^2": lambda n: n**2,
    "n^2 log n": lambda n: n**2 * math.log(n),
    "n^3": lambda n: n**3,
}

Seconds = Mapping[int, float]


@dataclass(frozen=True)
class Round:
    """Seconds of one call at each size, of both sides."""

    student: Seconds
    reference: Seconds


@dataclass(frozen=True)
class Growth:
    """The exponent with its interval against the highest that the claim allows.

    ``smallest`` and ``largest`` are student / reference seconds at those sizes. ``decided`` says whether
    the budget was enough; ``holds`` is true where it wasn't. ``samples`` are (size, student's seconds) of
    every call.
    """

    claim: str
    bound: float
    exponent: float
    low: float
    high: float
    smallest: Interval
    largest: Interval
    rounds: int
    decided: bool
    holds: bool
    samples: tuple[tuple[int, float], ...]


def measure_growth(
    measure: Callable[[int], tuple[float, float]],
    sizes: Sequence[int],
    claim: str,
    *,
    rng: np.random.Generator,
    clock: Callable[[], float],
    budget: float,
    within: float = WITHIN,
) -> Growth:
    """Measures rounds for about ``budget`` seconds, and FEWEST_ROUNDS of them in any case.

    ``measure(size)`` returns (student, reference) seconds of one call each on the same fresh inputs.
    Raises AuthorError for a claim that isn't one, sizes too few or too close, and a ``within`` below 1.
    """
    check_claim(sizes, claim, within)
    start = clock()
    rounds: list[Round] = []
    while True:
        rounds.append(measured_round(measure, sizes, rng))
        count = len(rounds)
        if count < FEWEST_ROUNDS:
            continue
        last = clock() - start > budget or count >= LOOKS[-1]
        if last or count < LOOKS[0] or is_look(count):
            found = judge_growth(rounds, claim, within, last=last)
            if last or found.decided:
                return found


def measured_round(
    measure: Callable[[int], tuple[float, float]], sizes: Sequence[int], rng: np.random.Generator
) -> Round:
    """Every size once, in random order."""
    seconds = {sizes[place]: measure(sizes[place]) for place in rng.permutation(len(sizes))}
    return Round(
        {size: student for size, (student, _) in seconds.items()},
        {size: reference for size, (_, reference) in seconds.items()},
    )


def judge_growth(rounds: Sequence[Round], claim: str, within: float = WITHIN, *, last: bool = True) -> Growth:
    """What rounds that all have the same sizes say about a claim; ``last`` where no more will come."""
    sizes = sorted(rounds[0].student)
    exponents = [slope(each.student) for each in rounds]
    bound = highest_exponent(rounds, claim)
    found = interval(exponents, independent=True)
    low, high = math.log(found.low) if found.low else -math.inf, math.log(found.high)
    smallest, largest = (slowness(rounds, size) for size in (sizes[0], sizes[-1]))
    if len(rounds) < LOOKS[0]:
        margin, factor = (0.0, 1.0) if last else (MARGIN, HOPELESS_FACTOR)
        holds, fails = False, all_beyond(rounds, bound + margin, within * factor)
        low, high = (min(exponents), max(exponents)) if fails else (low, high)
    else:
        holds = high <= bound and smallest.high <= within and largest.high <= within
        fails = low > bound or smallest.low > within or largest.low > within
    return Growth(
        claim=claim,
        bound=bound,
        exponent=float(np.median(exponents)),
        low=low,
        high=high,
        smallest=smallest,
        largest=largest,
        rounds=len(rounds),
        decided=fails or holds,
        holds=not fails,
        samples=tuple((size, each.student[size]) for each in rounds for size in sizes),
    )


def slope(seconds: Seconds) -> float:
    """The exponent of the power of size that fits seconds best: least squares of logarithms."""
    sizes = sorted(seconds)
    x = np.log(sizes)
    y = np.log([max(seconds[size], SHORTEST_SECONDS) for size in sizes])
    x = x - x.mean()
    return float(x @ y / (x @ x))


def highest_exponent(rounds: Sequence[Round], claim: str) -> float:
    """The claim's slope over the rounds' sizes plus MARGIN, and up to MARGIN more where the reference
    needs it."""
    claimed = claimed_exponent(list(rounds[0].student), claim)
    reference = float(np.median([slope(each.reference) for each in rounds]))
    return claimed + MARGIN + min(max(reference - claimed, 0.0), MARGIN)


def claimed_exponent(sizes: Sequence[int], claim: str) -> float:
    """The slope that a function would have if it took exactly what is claimed."""
    return slope({size: CLAIMS[claim](float(size)) for size in sizes})


def slowness(rounds: Sequence[Round], size: int) -> Interval:
    """Student / reference seconds at a size, with its interval."""
    return interval(
        [
            math.log(max(each.student[size], SHORTEST_SECONDS) / max(each.reference[size], SHORTEST_SECONDS))
            for each in rounds
        ],
        independent=True,
    )


def all_beyond(rounds: Sequence[Round], bound: float, within: float) -> bool:
    """Whether there are FEWEST_ROUNDS, and all are beyond what is allowed: the verdict where rounds are
    too few for an interval, for a function that is too slow must not gain by leaving no time for more."""
    if len(rounds) < FEWEST_ROUNDS:
        return False
    sizes = sorted(rounds[0].student)
    slow = [
        all(each.student[size] > within * each.reference[size] for each in rounds)
        for size in (sizes[0], sizes[-1])
    ]
    return any(slow) or all(slope(each.student) > bound for each in rounds)


def check_claim(sizes: Sequence[int], claim: str, within: float) -> None:
    """Raises AuthorError."""
    if claim not in CLAIMS:
        raise AuthorError(f"growth: {claim!r} is no claim; write one of {', '.join(CLAIMS)}")
    whole = all(isinstance(size, int) and not isinstance(size, bool) and size >= 2 for size in sizes)
    if not whole or len(set(sizes)) != len(sizes) or len(sizes) < 3 or max(sizes) < 8 * min(sizes):
        raise AuthorError(
            "growth: sizes are three or more different whole numbers from 2 up, the largest at least 8 times "
            f"the smallest, such as [1000, 2000, 4000, 8000], not {list(sizes)}"
        )
    if not (math.isfinite(within) and within >= 1):
        raise AuthorError(f"growth: within is how many times the reference's seconds, not {within!r}")
