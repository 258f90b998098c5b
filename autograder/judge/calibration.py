"""The reference against itself: what a race says on this host where the true ratio is 1.

Contract: ``calibrate`` judges a small notebook of its own through the court, as any other is judged, which
takes some seconds. ``fit_for_races`` remembers what came of it, and stands between a host that can't measure
and a student's points: speed isn't graded by guessing.

Both need a lane, so they are called by who holds none.
"""

from __future__ import annotations

import functools
import math
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from autograder.judge.plan import plan_notebook
from autograder.judge.records import RaceResult, Verdict
from autograder.judge.settings import Settings
from autograder.speed.timing import Fact, Fitness

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.judge.court import Court

NARROW, WIDE = 0.10, 0.25
FRESH_SECONDS = 600.0
UNFIT_SECONDS = 60.0
TRIES = 2
SOLUTION = '''
def kernel(n):
    """A pure Python loop: about 10 ms, whatever the size of the caches."""
    ### BEGIN SOLUTION
    total = 0
    for i in range(n):
        total += i * i % 7
    return total
    ### END SOLUTION
'''
CHECK = "assert kernel(5) == 9"
# The marks are where the race is to end: an interval between them is narrow.
SPEED_CHECK = "race(kernel, lambda rng: (150_000 + int(rng.integers(1000)),), bands={0.95: 1, 1.05: 2})"


@dataclass(frozen=True)
class Calibration:
    """What the race said; ``why`` there is none."""

    race: RaceResult | None
    seconds: float
    why: str = ""

    @property
    def width(self) -> float:
        """How much larger the interval's upper end is than its lower one, as a part."""
        if self.race is None or self.race.low <= 0:
            return math.inf
        return self.race.high / self.race.low - 1

    @property
    def status(self) -> Fitness:
        if self.race is None or not self.race.low <= 1 <= self.race.high or not self.width <= WIDE:
            return Fitness.BAD
        return Fitness.OK if self.width <= NARROW else Fitness.DEGRADED

    def found(self) -> str:
        if self.race is None:
            return f"no race: {self.why}"
        one = self.race
        return (
            f"the reference is {one.ratio:.3f} of itself ({one.low:.3f} to {one.high:.3f}),"
            f" in {one.pairs} pairs and {self.seconds:.1f} s"
        )

    def fact(self) -> Fact:
        """As a line of `mlsys doctor --timing`."""
        means = {
            Fitness.OK: "",
            Fitness.DEGRADED: "races between near marks end undecided, in the student's favour",
            Fitness.BAD: "speed can't be graded fairly here, so it isn't: it would be judged again later",
        }[self.status]
        remedy = "see the lines above for what disturbs it, then try again when it is quiet" if means else ""
        return Fact("calibration race", self.status, self.found(), means, remedy)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``: the fact, and what was measured."""
        return {**asdict(self.fact()), "race": self.race.as_plain() if self.race else None}


def calibrate(court: Court, clock: Callable[[], float] = time.monotonic) -> Calibration:
    """Races the reference against itself. Raises nothing: what fails is ``why``."""
    source = notebook()
    start = clock()
    judgement = court.judge_for_staff(
        plan_notebook(source, source), Settings(), secrets.token_bytes(16), open_pass=False
    )
    seconds = clock() - start
    for check in judgement.result.checks:
        if check.race is not None:
            return Calibration(check.race, seconds)
    wrong = [check for check in judgement.result.checks if check.verdict is not Verdict.OK]
    said = [judgement.staff.get(check.check) or check.message for check in wrong]
    return Calibration(None, seconds, next(filter(None, said), "it gave no result"))


def notebook() -> NotebookNode:
    """An assignment of one question; its source is its submission too."""
    from nbformat.v4 import new_notebook  # only who races pays for it

    cells = [
        cell(SOLUTION.strip("\n"), "kernel", solution=True),
        cell(CHECK, "check-kernel", grade=True, locked=True, points=1),
        cell(SPEED_CHECK, "kernel-speed", grade=True, locked=True, points=2),
    ]
    cells[-1].metadata["mlsys"] = {"speed": True}
    made: NotebookNode = new_notebook()
    made.cells.extend(cells)
    return made


def cell(source: str, name: str, **marks: Any) -> NotebookNode:
    from nbformat.v4 import new_code_cell

    whole = {"grade": False, "solution": False, "locked": False, "schema_version": 3, "grade_id": name}
    made: NotebookNode = new_code_cell(source, metadata={"nbgrader": {**whole, **marks}})
    return made


class Permit:
    """Whether this host is fit for races, found out by whoever asks first and remembered for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.calibrating = False
        self.why: str | None = None
        self.until = -math.inf

    def ask(self, court: Court) -> str | None:
        """None, or in words what is wrong. Other threads wait; the calibration's own race may pass."""
        with self.lock:
            if self.calibrating:
                return None
            if self.clock() >= self.until:
                self.calibrating = True
                try:
                    self.why = self.tried(court)
                finally:
                    self.calibrating = False
                self.until = self.clock() + (UNFIT_SECONDS if self.why else FRESH_SECONDS)
            return self.why

    def tried(self, court: Court) -> str | None:
        """An interval misses the truth now and then, and a moment's noise passes: one good race is enough."""
        for _ in range(TRIES):
            one = calibrate(court)
            if one.status is not Fitness.BAD:
                return None
        return f"this host can't measure speed fairly now: {one.found()}; `mlsys doctor --timing` says more"


@functools.cache
def permit() -> Permit:
    """This process's."""
    return Permit()


def fit_for_races(court: Court) -> str | None:
    """None, or in words why this host is not to grade speed now; for who holds no lane.

    Found out by a calibration race, and remembered for ten minutes (one minute where it failed).
    """
    return permit().ask(court)


__all__ = ["Calibration", "Permit", "calibrate", "fit_for_races"]
