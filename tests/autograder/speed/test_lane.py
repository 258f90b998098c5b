"""One race at a time on a physical core of this host, whoever asks; a lane outlives nobody."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from autograder.errors import PlatformError
from autograder.speed.cores import Cores
from autograder.speed.lane import Holder, holder, lane, name_of, take, wait_for_a_change

# Cores that no host has, other ones in each run: the tests of two checkouts must not meet.
FIRST = 1_000_000 + os.getpid() * 16
ONE = Cores(frozenset((FIRST,)), {FIRST: frozenset((FIRST,))})
TWO = Cores(
    frozenset(range(FIRST, FIRST + 8)), {core: frozenset((core,)) for core in range(FIRST, FIRST + 8)}
)
HOLD = """
import sys
from autograder.speed.cores import Cores
from autograder.speed.lane import lane
core = int(sys.argv[1])
with lane(Cores(frozenset((core,)), {core: frozenset((core,))})) as cpus:
    print(*cpus, flush=True)
    sys.stdin.readline()
print("left", flush=True)
sys.stdin.readline()
"""


@contextlib.contextmanager
def another_process(core: int, program: str = HOLD) -> Iterator[subprocess.Popen[str]]:
    """A process that takes the lane, says so, leaves it after a line of input and ends after a second."""
    command = [sys.executable, "-c", program, str(core)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_lane_is_a_core_and_free_again_afterwards() -> None:
    for _ in range(3):
        with lane(ONE) as cpus:
            assert cpus == (FIRST,)
            assert take(FIRST) is None


def test_lane_is_given_back_when_the_race_raises() -> None:
    with pytest.raises(ZeroDivisionError), lane(ONE):
        raise ZeroDivisionError
    with lane(ONE, patience=0):
        pass


def test_another_process_waits_until_the_lane_is_given_back() -> None:
    held = take(FIRST)
    assert held is not None
    with held, another_process(FIRST) as other:
        knocking, _ = held.accept()  # it has come to a held lane
        with knocking:
            assert other.stdout is not None
            assert select.select([other.stdout], [], [], 0)[0] == []
            assert holder(FIRST) == Holder(os.getpid(), os.getuid())
        held.close()
        assert line(other) == str(FIRST)
        assert holder(FIRST) == Holder(other.pid, os.getuid())


def test_waiting_race_goes_on_when_the_holder_leaves() -> None:
    with another_process(FIRST) as other:
        assert line(other) == str(FIRST)
        tell(other)
        with lane(ONE) as cpus:
            assert cpus == (FIRST,)
        assert line(other) == "left"


def test_killed_holder_frees_the_lane() -> None:
    with another_process(FIRST) as other:
        assert line(other) == str(FIRST)
        entered = threading.Event()

        def race() -> None:
            with lane(ONE):
                entered.set()

        waiting = threading.Thread(target=race)
        waiting.start()
        assert not entered.is_set()
        other.kill()
        assert entered.wait(30)
        waiting.join()


def test_a_second_race_takes_the_second_lane_and_a_third_waits_for_either() -> None:
    assert TWO.lanes == (FIRST + 7, FIRST + 6)
    with lane(TWO) as first:
        entered: list[tuple[int, ...]] = []
        with lane(TWO) as second:
            assert (first, second) == ((FIRST + 7,), (FIRST + 6,))
            third = threading.Thread(target=lambda: entered.append(enter(TWO)))
            third.start()
            assert not entered
        third.join(30)
        assert entered == [second]


def enter(cores: Cores) -> tuple[int, ...]:
    with lane(cores) as cpus:
        return cpus


def test_masks_that_hold_two_threads_of_one_core_share_its_lane() -> None:
    both = frozenset((FIRST, FIRST + 1))
    one = Cores(frozenset((FIRST,)), {FIRST: both})
    other = Cores(frozenset((FIRST + 1,)), {FIRST + 1: both})
    with lane(one), pytest.raises(PlatformError), lane(other, patience=0):
        pass


def test_many_wait_and_all_get_their_turn() -> None:
    inside, most, turns = [0], [0], []

    def race() -> None:
        with lane(ONE) as cpus:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            turns.append(cpus)
            os.sched_yield()
            inside[0] -= 1

    threads = [threading.Thread(target=race) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(turns) == 20
    assert most == [1]


def test_lane_that_is_never_given_back_is_a_fault_that_names_the_holder() -> None:
    with another_process(FIRST) as other:
        assert line(other) == str(FIRST)
        with (
            pytest.raises(PlatformError, match=rf"core {FIRST}: process {other.pid} of "),
            lane(ONE, patience=0),
        ):
            pass


def test_patience_is_for_one_holder() -> None:
    """A busy lane is no stuck one: the time begins again whenever it changes hands."""
    now = [0.0]
    with another_process(FIRST) as other:
        assert line(other) == str(FIRST)
        tell(other)
        with lane(ONE, patience=5, clock=lambda: now[0]) as cpus:
            now[0] += 100
            assert cpus == (FIRST,)


def test_name_that_is_taken_without_listening_is_waited_for_and_told() -> None:
    """Any user of the host can take the name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as squatter:
        squatter.bind(name_of(FIRST))
        assert holder(FIRST) is None
        with pytest.raises(PlatformError, match="a process unknown"), lane(ONE, patience=0):
            pass
        assert not wait_for_a_change([FIRST], 0.01)
        entered = threading.Thread(target=enter, args=(ONE,))
        entered.start()
    entered.join(30)
    assert not entered.is_alive()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")
def test_another_user_has_no_lane_of_their_own() -> None:
    """Who races as root and who races as somebody else share the core."""
    as_nobody = HOLD.replace(
        "core =", "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\ncore =", 1
    )
    with another_process(FIRST, as_nobody) as other:
        assert line(other) == str(FIRST)
        assert holder(FIRST) == Holder(other.pid, 65534)
        with pytest.raises(PlatformError, match=rf"process {other.pid} of "), lane(ONE, patience=0):
            pass


def test_free_lane_has_no_holder() -> None:
    assert holder(FIRST) is None
