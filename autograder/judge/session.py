"""One notebook's judging, inside the judge process: cells go to the box, checks run here.

Contract: every check ends in one ``Outcome``, whatever it or the student's code does, within its
time limit. A check that met a lost box, a refused comparison or an assertion that the student's
code swallowed has failed, also where its own ``except`` hid it.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import linecache
import math
import resource
import signal
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from autograder.errors import AuthorError
from autograder.judge.helpers import Award, Helpers, generator, linked_helpers
from autograder.judge.link import BoxLost, Link, Refused, StudentError
from autograder.judge.messages import MAX_WORDS, award_words, check_line, closed_message, open_message
from autograder.judge.namespace import CheckNamespace
from autograder.judge.outputs import clean_outputs
from autograder.judge.plan import CheckStep
from autograder.judge.programs import compiled, filename_of
from autograder.judge.proxy import Proxy, make_proxy
from autograder.judge.racing import Races
from autograder.judge.records import RaceResult, Verdict
from autograder.sandbox.arena import Arena
from autograder.sandbox.wire import Channel
from autograder.speed.race import NoisyHost

REFERENCE = "reference"
NOISY_WORDS = "This machine was too busy to measure speed; nothing was graded, and it will be tried again."
LOST = {"late": Verdict.TIMEOUT, "closed": Verdict.CRASH, "nonsense": Verdict.CRASH}


class CheckTimeout(BaseException):
    """The check's own code took too long."""


@dataclass(frozen=True)
class Outcome:
    """How a check ended. ``lost`` says that its box can't be used again, and how it was lost;
    ``REFERENCE`` that it was the reference's, which is no doing of the student's.

    ``message`` is for the student, ``staff`` for the author alone. ``unseen``: what students can read of the
    check went well.
    """

    verdict: Verdict
    points: float
    message: str
    staff: str
    seconds: float
    lost: str | None
    race: RaceResult | None = None
    unseen: bool = False

    def to_wire(self) -> dict[str, Any]:
        return {**vars(self), "race": asdict(self.race) if self.race else None}

    @classmethod
    def from_wire(cls, sent: dict[str, Any]) -> Outcome:
        race, verdict = sent.pop("race"), Verdict(sent.pop("verdict"))
        return cls(verdict=verdict, race=RaceResult.from_plain(race) if race else None, **sent)


class Session:
    """The state of one notebook: its namespace, its box, and the reference's box for races."""

    def __init__(
        self,
        seed: bytes,
        imports: list[str],
        student_names: list[str],
        functions: list[str],
        operators: list[str],
        bases: list[str],
    ) -> None:
        """The lists as in ``Plan``."""
        self.namespace = CheckNamespace(student_names, imports, functions)
        self.seed = seed
        self.operators = known_operators(operators, bases, self.namespace)
        self.link: Link | None = None
        self.reference: Link | None = None

    def attach(self, role: str, channel: Channel, seconds: float, arena: Arena | None = None) -> str | None:
        """Takes a new box; returns how it was lost, None when it's ready."""
        if role == REFERENCE:
            self.reference = Link(channel, make_proxy, arena=arena)
            return greet(self.reference, seconds)
        self.link = Link(channel, make_proxy, self.operators, arena)
        self.namespace.attach(self.link)
        return greet(self.link, seconds)

    def run_cell(self, source: str, cap: int, seconds: float, role: str = "student") -> dict[str, Any]:
        """Runs a cell of the student's; ``outputs`` are nbformat's, of at most ``cap`` bytes."""
        link = self.link if role == "student" else self.reference
        if link is None:
            raise AuthorError(f"no box for the {role}")
        link.start_check(seconds)
        try:
            fine, outputs = ask_raw(link, "cell", source, cap)
        except BoxLost as error:
            return {"status": LOST[error.how].value, "outputs": [], "lost": error.how}
        # Made safe here too: what msgpack read in a few bytes may be too large to be passed on.
        cleaned = list(clean_outputs(outputs, cap))
        return {"status": "OK" if fine else "ERROR", "outputs": cleaned, "lost": None}

    def run_check(self, step: CheckStep, open_pass: bool, seconds: float) -> Outcome:
        link = self.link
        if link is None:
            raise AuthorError("no box for the student")
        source = step.visible_source() if open_pass else step.source
        link.start_check(seconds)
        if self.reference is not None:
            # The time is the student's: the reference's own cells set it a deadline, long ago.
            self.reference.start_check(math.inf)
        self.namespace.start_check()
        seed = self.seed + (b"open" if open_pass else b"")
        races = Races(link, self.reference, step, self.seed, open_pass=open_pass)
        self.namespace.helpers = Helpers(
            {**linked_helpers(link), **races.helpers()}, rng=lambda: generator(seed, step.check)
        )
        start = time.monotonic()
        outcome = Trial(self.namespace, link, step, source, open_pass).run(seconds)
        reference_lost = REFERENCE if self.reference is not None and self.reference.lost else None
        return replace(outcome, seconds=time.monotonic() - start, lost=link.lost or reference_lost)


def known_operators(
    operators: list[str], bases: list[str], namespace: CheckNamespace
) -> frozenset[str] | None:
    """The special methods that objects of the source's classes may have; None where it can't be said."""
    known = set(operators)
    for base in bases:
        first, *rest = base.split("[")[0].split(".")
        found = namespace.get(first, getattr(builtins, first, None))
        for name in rest:
            found = getattr(found, name, None)
        if not isinstance(found, type):
            return None
        known |= {name for each in found.__mro__ for name in vars(each)}
    return None if any("{" in name for name in known) else frozenset(known)


def greet(link: Link, seconds: float) -> str | None:
    """Waits for the agent's first word."""
    try:
        hello, _ = link.channel.receive(time.monotonic() + seconds)
    except Exception:  # whatever came was no greeting
        return link.lose("closed").how
    return None if hello == [0, "ok", "ready", []] else link.lose("nonsense").how


def ask_raw(link: Link, operation: str, *arguments: Any) -> tuple[bool, list[Any]]:
    """A request whose answer is [status, outputs] as msgpack has them, not tagged values."""
    if link.lost:
        raise BoxLost(link.lost)
    link.count += 1
    try:
        link.channel.send([link.count, operation, [], *arguments], deadline=link.deadline)
        reply, _ = link.channel.receive(link.deadline)
    except Exception as error:
        how = {"Late": "late", "Closed": "closed"}.get(type(error).__name__, "nonsense")
        raise link.lose(how) from None
    good = type(reply) is list and len(reply) == 4 and reply[:2] == [link.count, "ok"]
    answer = reply[2] if good else None
    if type(answer) is not list or len(answer) != 2 or type(answer[1]) is not list:
        raise link.lose("nonsense")
    return answer[0] == "ok", answer[1]


class Trial:
    """One run of one check."""

    def __init__(
        self, namespace: CheckNamespace, link: Link, step: CheckStep, source: str, open_pass: bool
    ) -> None:
        self.namespace = namespace
        self.link = link
        self.step = step
        self.source = source
        self.open_pass = open_pass
        self.filename = filename_of(step.check)

    def run(self, seconds: float) -> Outcome:
        try:
            with time_limit(seconds), silence():
                points = self.points(self.execute())
            return self.stuck() or self.outcome(
                Verdict.OK if points >= self.step.points else Verdict.WRONG, points
            )
        except Award as error:
            return self.stuck() or self.awarded(error)
        except BoxLost as error:
            return self.outcome(LOST[error.how], 0, ending(LOST[error.how]))
        except NoisyHost:
            return self.outcome(Verdict.FAULT, 0, NOISY_WORDS, NOISY_WORDS)
        except CheckTimeout:
            self.link.lose("late")
            return self.outcome(Verdict.TIMEOUT, 0, ending(Verdict.TIMEOUT))
        except BaseException as error:
            return self.failed(error)

    def execute(self) -> Any:
        """Runs the check; returns the value of a last expression, as a notebook would show it."""
        lines = self.source.splitlines(keepends=True)
        linecache.cache[self.filename] = (len(self.source), None, lines, self.filename)
        body, last = compiled(self.source, self.filename)
        exec(body, self.namespace)  # noqa: S102 -- the author's check
        return None if last is None else eval(last, self.namespace)  # noqa: S307

    def points(self, shown: Any) -> float:
        """nbgrader's convention: a last expression that is a number is the points."""
        if isinstance(shown, Proxy):
            Proxy.refuse(shown, "the points")
        number = type(shown) in (int, float) or isinstance(shown, np.integer | np.floating)
        if not number or math.isnan(shown) or shown < 0:
            return self.step.points
        return self.within(float(shown))

    def within(self, points: float) -> float:
        if points > self.step.points:
            raise AuthorError(
                f"check {self.step.check} gave {points:g} points, more than its {self.step.points:g}"
            )
        return points

    def stuck(self) -> Outcome | None:
        """A failure that the check's own ``except`` can't undo."""
        if self.link.lost:
            verdict = LOST[self.link.lost]
            return self.outcome(verdict, 0, ending(verdict))
        if self.link.refused:
            return self.failed(Refused(self.link.refused))
        if isinstance(self.link.swallowed, AssertionError):
            return self.failed(self.link.swallowed)
        return None

    def awarded(self, error: Award) -> Outcome:
        try:
            points = self.within(error.points)
        except AuthorError as wrong:
            return self.failed(wrong)
        line = check_line(error, self.filename)
        hidden = line in self.step.hidden and not error.ours
        message = award_words(self.source, line) if hidden else error.message[:MAX_WORDS]
        verdict = Verdict.OK if points >= self.step.points else Verdict.WRONG
        return self.outcome(verdict, points, message, race=error.race, line=line)

    def failed(self, error: BaseException) -> Outcome:
        ours = isinstance(error, AssertionError) and not isinstance(error, StudentError)
        outcome = type(error).__name__ in ("Failed", "Skipped")  # pytest's
        verdict = Verdict.WRONG if ours or outcome else Verdict.ERROR
        if self.open_pass:
            message = open_message(error, self.source, self.filename)
        else:
            message = closed_message(error, self.source, self.filename)
        staff = "".join(traceback.format_exception(error))[-6000:]
        line = check_line(error, self.filename)
        return self.outcome(verdict, 0, message, staff + getattr(error, "trace", ""), line=line)

    def outcome(
        self,
        verdict: Verdict,
        points: float,
        message: str = "",
        staff: str = "",
        race: RaceResult | None = None,
        line: int | None = None,
    ) -> Outcome:
        """``line``: of the check, where it ended before its end."""
        unseen = verdict is Verdict.OK or self.step.ends_hidden(line)
        return Outcome(verdict, points, message, staff, 0.0, self.link.lost, race, unseen)


def ending(verdict: Verdict) -> str:
    """Words for a check whose box was lost."""
    if verdict is Verdict.TIMEOUT:
        return "Your code took longer than this check's time limit."
    return "Your code ended its own process while this check ran."


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises CheckTimeout in this thread. A check stuck in C is ended by the CPU limit instead.

    And again each second: Python drops what is raised while an object is deleted.
    """

    def late(signum: int, frame: object) -> None:
        raise CheckTimeout

    used = resource.getrusage(resource.RUSAGE_SELF)
    # A quarter more: for this limit the kernel counts ticks, which were 7 % ahead of the time used.
    soft = int(1.25 * (used.ru_utime + used.ru_stime + seconds)) + 2
    usual = resource.getrlimit(resource.RLIMIT_CPU)
    hard = usual[1]
    capped = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (capped, hard))
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds + 0.5, 1.0)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except CheckTimeout:
        signal.setitimer(signal.ITIMER_REAL, 0)  # it may have come in the place of the line above
        raise
    finally:
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_CPU, usual)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """A check's own prints reach nobody: they may hold what the student mustn't see."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
