"""A check ends in time, and in an outcome that can be sent, whatever it computed from a student's data."""

from __future__ import annotations

import resource
import signal
import socket
from collections.abc import Iterator

import pytest

from autograder.judge.plan import CheckStep
from autograder.judge.records import Verdict
from autograder.judge.session import Session
from autograder.sandbox.wire import Channel, pack

IN_A_DELETION = """
import time
class Slow:
    def __del__(self):
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            time.sleep(0.01)
Slow()
end = time.monotonic() + 8
while time.monotonic() < end:
    time.sleep(0.01)
"""


@pytest.fixture
def session() -> Iterator[Session]:
    """A session whose box has said that it is ready, and says nothing more."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(theirs).send([0, "ok", "ready", []])
        opened = Session(b"seed", [], [], [], [], [])
        assert opened.attach("student", Channel(ours, buffered=True), 5) is None
        yield opened


def step(source: str) -> CheckStep:
    return CheckStep(0, "check-a", "a", source, 2.0, frozenset())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_alarm_that_python_dropped_comes_again(session: Session) -> None:
    """What is raised in __del__ is lost, and a student decides when proxies are deleted."""
    assert session.run_check(step(IN_A_DELETION), False, 0.1).verdict is Verdict.TIMEOUT


def test_the_time_of_a_check_ends_with_it(session: Session) -> None:
    before = resource.getrlimit(resource.RLIMIT_CPU)
    session.run_check(step("1"), False, 5)
    assert resource.getrlimit(resource.RLIMIT_CPU) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


ROOM = """
import resource
used = resource.getrusage(resource.RUSAGE_SELF)
room = resource.getrlimit(resource.RLIMIT_CPU)[0] - used.ru_utime - used.ru_stime
assert room > 20 + 0.2 * used.ru_utime
"""


def test_the_limit_of_cpu_time_leaves_room_for_a_clock_that_counts_ticks(session: Session) -> None:
    """A judge that was killed before its check's time was over is a fault."""
    assert session.run_check(step(ROOM), False, 20).verdict is Verdict.OK


@pytest.mark.parametrize(
    "source",
    [
        "award(1, 'x' * 30_000_000)",
        "raise ValueError('x' * 30_000_000)",
        "assert False, 'x' * 30_000_000",
        "award(1, chr(0xD800))",
    ],
)
@pytest.mark.parametrize("open_pass", [False, True])
def test_an_outcome_is_never_too_large_to_be_sent(session: Session, source: str, open_pass: bool) -> None:
    outcome = session.run_check(step(source), open_pass, 30)
    assert outcome.points == (1 if "award" in source else 0)
    assert sum(map(len, pack(outcome.to_wire()))) < 100_000
