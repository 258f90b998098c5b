"""Who waits, who runs, who is turned away, with a clock of the test's own."""

from __future__ import annotations

import asyncio

import pytest

from hub.checks.line import Line, Terms, TurnedAway


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def line(**terms: float) -> tuple[Line, Clock]:
    clock = Clock()
    given = {"running": 1, "waiting": 2, "burst": 2, "every": 10.0, **terms}
    return Line(Terms(**given), clock), clock  # type: ignore[arg-type]  # mixed numbers


def test_the_first_run_and_the_others_wait_in_order() -> None:
    made, _ = line()
    tickets = [made.admit(name) for name in ("ama", "ben", "chi")]
    for ticket in tickets:
        made.stand_in(ticket)
    assert [made.position(ticket) for ticket in tickets] == [0, 1, 2]
    made.leave(tickets[0])
    assert [made.position(ticket) for ticket in tickets[1:]] == [0, 1]


def test_a_full_line_says_so() -> None:
    made, _ = line()
    for name in ("ama", "ben", "chi"):
        made.admit(name)
    with pytest.raises(TurnedAway, match="3 checks are waiting") as caught:
        made.admit("dai")
    assert caught.value.status == 503 and caught.value.seconds == 60


def test_a_user_has_one_check_at_a_time() -> None:
    made, _ = line()
    ticket = made.admit("ama")
    with pytest.raises(TurnedAway, match="still running") as caught:
        made.admit("ama")
    assert caught.value.status == 429
    made.leave(ticket)
    made.leave(ticket)
    assert made.admit("ama")


def test_an_allowance_fills_up_again() -> None:
    made, clock = line()
    for _ in range(2):
        made.leave(made.admit("ama"))
    with pytest.raises(TurnedAway, match="in 10 seconds") as caught:
        made.admit("ama")
    assert caught.value.seconds == 10
    made.leave(made.admit("ben"))
    clock.now = 10.0
    made.leave(made.admit("ama"))


def test_being_turned_away_costs_nothing() -> None:
    made, _ = line(running=0, waiting=1)
    ticket = made.admit("ama")
    for _ in range(5):
        with pytest.raises(TurnedAway, match="are waiting"):
            made.admit("ben")
    made.leave(ticket)
    assert made.admit("ben")


def test_who_waits_wakes_when_somebody_leaves() -> None:
    made, _ = line()

    async def play() -> None:
        ticket = made.admit("ama")
        waiter = asyncio.create_task(made.wait(60))
        await asyncio.sleep(0)
        made.leave(ticket)
        await asyncio.wait_for(waiter, 5)
        await made.wait(0.001)  # nobody leaves: the time ends it

    asyncio.run(play())
