"""The reference against itself, and the permission to grade speed that hangs on it."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from autograder.judge import CheckResult, Court, Judgement, NotebookResult, RaceResult, Verdict
from autograder.judge.calibration import FRESH_SECONDS, UNFIT_SECONDS, Calibration, Permit, calibrate
from autograder.speed.timing import Fitness


def raced(low: float, high: float) -> RaceResult:
    return RaceResult(math.sqrt(max(low, 0.5) * min(high, 2)), low, high, pairs=22, decided=True)


GOOD, NOISY, SKEWED = raced(0.98, 1.02), raced(0.7, 1.4), raced(1.1, 1.15)


class PaperCourt:
    """Judges nothing: its races end as they are told to, None for a platform that fails."""

    def __init__(self, *ends: RaceResult | None) -> None:
        self.ends = list(ends)
        self.judged = 0
        self.during: Callable[[], None] = lambda: None

    def judge_for_staff(self, *arguments: Any, **settings: Any) -> Judgement:
        self.judged += 1
        self.during()
        end = self.ends.pop(0)
        if end is None:
            fault = CheckResult("check-kernel", "kernel", Verdict.FAULT, 0, 1, "ours")
            return Judgement(NotebookResult((fault,)), {"check-kernel": "the court is closed"})
        checks = (
            CheckResult("check-kernel", "kernel", Verdict.OK, 1, 1),
            CheckResult("kernel-speed", "kernel", Verdict.OK, 1, 2, race=end),
        )
        return Judgement(NotebookResult(checks), {})

    def as_court(self) -> Court:
        return cast(Court, self)


@pytest.mark.lane
def test_reference_races_itself_through_the_real_court(court: Court) -> None:
    one = calibrate(court)
    assert one.race is not None, one.why
    assert one.race.pairs > 0
    assert one.race.low <= one.race.ratio <= one.race.high
    assert 0.5 < one.race.ratio < 2
    assert f"{one.race.ratio:.3f}" in one.fact().found
    assert json.loads(json.dumps(one.as_dict()))["race"]["pairs"] == one.race.pairs


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (0.98, 1.02, Fitness.OK),
        (0.96, 1.05, Fitness.OK),
        (0.92, 1.09, Fitness.DEGRADED),
        (1.0, 1.0, Fitness.OK),
        (0.85, 1.2, Fitness.BAD),
        (1.01, 1.02, Fitness.BAD),
        (0.97, 0.99, Fitness.BAD),
        (0.0, math.inf, Fitness.BAD),
    ],
)
def test_interval_must_contain_one_and_be_narrow(low: float, high: float, status: Fitness) -> None:
    one = Calibration(raced(low, high), 2.0)
    assert one.status is status
    assert one.fact().status is status
    assert bool(one.fact().remedy) is (status is not Fitness.OK)


def test_platform_that_fails_is_told_in_its_words() -> None:
    one = calibrate(PaperCourt(None).as_court())
    assert one.status is Fitness.BAD
    assert one.fact().found == "no race: the court is closed"
    assert one.as_dict()["race"] is None


@pytest.mark.parametrize("first", [SKEWED, NOISY, None])
def test_one_bad_race_is_tried_again(first: RaceResult | None) -> None:
    court = PaperCourt(first, GOOD)
    assert Permit().ask(court.as_court()) is None
    assert court.judged == 2


def test_two_bad_races_forbid_and_say_why() -> None:
    why = Permit().ask(PaperCourt(SKEWED, raced(1.2, 1.3)).as_court())
    assert why is not None
    assert "(1.200 to 1.300)" in why
    assert "mlsys doctor --timing" in why


def test_permission_is_remembered_and_asked_for_again_later() -> None:
    now = [0.0]
    court, permit = PaperCourt(GOOD, GOOD), Permit(lambda: now[0])
    for _ in range(5):
        assert permit.ask(court.as_court()) is None
    assert court.judged == 1
    now[0] = FRESH_SECONDS
    assert permit.ask(court.as_court()) is None
    assert court.judged == 2


def test_unfit_host_is_looked_at_again_sooner() -> None:
    now = [0.0]
    court, permit = PaperCourt(NOISY, NOISY, GOOD), Permit(lambda: now[0])
    assert permit.ask(court.as_court()) == permit.ask(court.as_court()) is not None
    assert court.judged == 2
    now[0] = UNFIT_SECONDS
    assert permit.ask(court.as_court()) is None


def test_calibrations_own_race_needs_no_permission() -> None:
    """It goes through the same court, which asks before every race."""
    court, permit, answers = PaperCourt(GOOD), Permit(), list[str | None]()
    court.during = lambda: answers.append(permit.ask(court.as_court()))
    assert permit.ask(court.as_court()) is None
    assert answers == [None]
    assert court.judged == 1


def test_other_threads_wait_for_the_one_that_calibrates() -> None:
    court, permit, answers = PaperCourt(NOISY, NOISY), Permit(), list[str | None]()
    asking, others = threading.Event(), []

    def during() -> None:
        if not asking.is_set():
            asking.set()
            for _ in range(3):
                others.append(threading.Thread(target=lambda: answers.append(permit.ask(court.as_court()))))
                others[-1].start()
            assert answers == []

    court.during = during
    why = permit.ask(court.as_court())
    for each in others:
        each.join(30)
    assert answers == [why] * 3
    assert court.judged == 2


def test_calibration_that_raises_is_no_permission_for_the_next() -> None:
    court, permit = PaperCourt(GOOD), Permit()

    def fails() -> None:
        raise KeyboardInterrupt

    court.during = fails
    with pytest.raises(KeyboardInterrupt):
        permit.ask(court.as_court())
    court.during = lambda: None
    assert permit.ask(court.as_court()) is None
    assert court.judged == 2
