"""Seats: one judge and its box a core, never where a race is, and given back whatever happens."""

from __future__ import annotations

import contextlib
import os

import pytest

from autograder.errors import PlatformError
from autograder.speed.cores import Cores
from autograder.speed.lane import lane
from autograder.speed.seat import seat

# Numbers that no host has: other programs of this one sit on its real cores meanwhile.
FIRST = 700_100 + 10 * os.getpid()
CORES = Cores(
    frozenset(range(FIRST, FIRST + 4)), {core: frozenset([core]) for core in range(FIRST, FIRST + 4)}
)
LANE = FIRST + 3


def test_each_core_is_one_seat_the_lane_the_last() -> None:
    with contextlib.ExitStack() as held:
        seats = [held.enter_context(seat(CORES)) for _ in range(5)]
    assert set(seats[:3]) == {FIRST, FIRST + 1, FIRST + 2}
    assert seats[3:] == [LANE, None]
    with seat(CORES) as core:
        assert core in CORES.work


def test_nobody_sits_where_a_race_is() -> None:
    with lane(CORES), contextlib.ExitStack() as held:
        seats = [held.enter_context(seat(CORES)) for _ in range(4)]
    assert LANE not in seats
    assert seats[3] is None


def test_nobody_sits_there_however_many_have_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.speed.lane.MOST_WAITING", 2)
    alone = Cores(frozenset([LANE]), {LANE: frozenset([LANE])})
    with lane(alone):
        for _ in range(5):
            with seat(alone) as core:
                assert core is None


def test_an_error_inside_comes_out_and_the_seat_is_free_again() -> None:
    alone = Cores(frozenset([FIRST]), {FIRST: frozenset([FIRST])})
    with pytest.raises(PlatformError, match="inside"), seat(alone):
        raise PlatformError("inside")
    with seat(alone) as core:
        assert core == FIRST


def test_without_seats_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise PlatformError(f"no sockets today: {name!r}")

    monkeypatch.setattr("autograder.speed.seat.take_name", broken)
    with seat(CORES) as core:
        assert core is None
