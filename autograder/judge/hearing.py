"""One pass over one notebook, from the driver's side: boxes opened, lost, replaced; results gathered.

Contract: every check of the plan gets a result. A cell that ended its box is left out of the
replay and costs its own question; a check that ended its box costs only itself. Only evidence
from outside the box says how the box ended, and a kill that it doesn't explain is the student's
only when it comes again (see ``Strays``).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import autograder
from autograder.errors import PlatformError
from autograder.judge.boxes import PassBoxes
from autograder.judge.desk import JudgeDesk, JudgeGone
from autograder.judge.plan import CheckStep, Plan, RunStep
from autograder.judge.records import CellResult, CheckResult, Usage, Verdict
from autograder.judge.session import REFERENCE, Outcome
from autograder.judge.settings import Settings
from autograder.sandbox import Bind, Box, BoxSpec, BoxUsage, Cause, Ending, Side, interpreter, open_box
from autograder.sandbox.arena import arena_file
from autograder.sandbox.arguments import ADDRESSES_FIXED
from autograder.sandbox.turnstile import OUT_OF_TURN, start_turnstile

START_SECONDS = 60.0
MOUNT = "/opt/mlsys"
PACKAGE = Path(autograder.__file__).parent
# What of this package a box sees: the agent, and what a student's own cells may import.
SHOWN = (
    "__init__.py",
    "sandbox",
    "errors.py",
    "student.py",
    "speed/__init__.py",
    "speed/interval.py",
    "speed/score.py",
)
# glibc gives freed memory back, or keeps it, by what the process had allocated before: the same code with
# larger arrays once in its past was up to 2.8 times as fast. Where time is measured all of it is kept, from
# the beginning. (For mapped memory, the largest threshold that mallopt(3) takes. Python's own small objects:
# see ``autograder.sandbox.heap``.)
STEADY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "PYTHONHASHSEED": "0",
}
# Where things lie in memory decides how fast they are: by chance, one process in twenty took a tenth longer
# than all others with the same program. So in a race's boxes they lie at the same addresses each time (and
# so do a set's elements, by the hash seed above).
FIXED = f"""
import ctypes, os, sys
ctypes.CDLL(None).personality({ADDRESSES_FIXED})
os.execv(sys.argv[1], sys.argv[1:])
"""
OUT_OF_TURN_WORDS = (
    "Your code went on running after its timed call had returned, in a thread, a process or a timer. In a "
    "race it runs only while it is called."
)
MEMORY_WORDS = "Your code used more memory than the assignment allows."
OVERRUN_WORDS = "This check did not end within its time limit with what your code returned."
SPENT_WORDS = "The checks of this notebook have used up all of its time, so this one was not run."
CELL_WORDS = {
    Verdict.CRASH: "The cell of this question ended its own process (os._exit, a crash in C code, …).",
    Verdict.TIMEOUT: "The cell of this question ran longer than the time limit.",
    Verdict.MEMORY: "The cell of this question used more memory than the assignment allows.",
}
# For a lost box, and the turnstile before it, to end by themselves: a box may also have hung up and go on.
CLOSING_SECONDS, TURNSTILE_SECONDS = 2.0, 60.0
# Who took longer, or came nearer to the limit of memory, is told of an open pass.
QUICK_SECONDS = 1.0
MODEST = 0.5
KILLED = (Cause.SIGNALLED, signal.SIGKILL)
STRAYS_AT_A_STEP = 2
STRAYS_IN_A_PASS = 4


class Stray(Exception):
    """A box was killed and nothing says by whom: its pass has to begin again."""


class Strays:
    """The kills that nobody explains, by step, over all tries of one pass.

    A SIGKILL that we didn't send and that no limit explains is the program's own doing (a box may
    signal itself), or it came from outside: an operator, another program of the host. One's own comes
    again at the same step of a fresh pass, a stray one doesn't. Both counts are small: a program
    that kills itself at another step each time must not keep the judge for long.
    """

    def __init__(self) -> None:
        self.seen: Counter[int] = Counter()

    def note(self, step: int) -> None:
        """Raises Stray unless the kill counts as the program's own."""
        self.seen[step] += 1
        if self.seen[step] <= STRAYS_AT_A_STEP and self.seen.total() <= STRAYS_IN_A_PASS:
            raise Stray

    def seed(self, seed: bytes) -> bytes:
        """Of this try's inputs: other ones each time, for who has seen them could end its own box."""
        tries = self.seen.total()
        return hashlib.sha256(seed + b"again" + bytes([tries])).digest() if tries else seed


@dataclass(frozen=True)
class Ruling:
    """A check's result for the student, and what only its author may read. ``unseen`` as in `Outcome`."""

    result: CheckResult
    staff: str
    unseen: bool = False


def agent_spec(
    settings: Settings,
    role: str,
    fds: tuple[int, ...] = (),
    cpus: tuple[int, ...] = (),
    *,
    steady: bool = False,
    core: int | None = None,
    twice: bool = False,
) -> BoxSpec:
    """A box for an assignment's notebook; ``steady`` as in `BoxedNotebook`, ``core`` as in `JudgeDesk`."""
    python = interpreter().executable
    fixed = (python, "-ISc", FIXED) if steady else ()
    return BoxSpec(
        argv=(*fixed, python, "-m", "autograder.sandbox.agent", *map(str, fds)),
        limits=settings.limits,
        binds=agent_binds(),
        env={"PYTHONPATH": MOUNT, **(STEADY if steady else {})},
        pass_fds=fds,
        hide=settings.hide,
        cpus=cpus,
        starts_on=() if core is None else (core,),
        name=role,
        twice=twice,
    )


@functools.cache
def agent_binds() -> tuple[Bind, ...]:
    return tuple(Bind(PACKAGE / name, f"{MOUNT}/autograder/{name}") for name in SHOWN)


@dataclass(frozen=True)
class Told:
    """What a student may see of a notebook, beside its verdicts and points."""

    cells: tuple[CellResult, ...]
    usage: Usage
    rulings: dict[str, Ruling]


class BoxedNotebook:
    """The student's (or the reference's) box and how to fill it again after it is lost.

    ``steady``: its next box keeps the memory that it has had, so that time doesn't depend on the past. What a
    call needs in memory is measured without.
    """

    def __init__(
        self,
        desk: JudgeDesk,
        settings: Settings,
        role: str,
        cpus: tuple[int, ...] = (),
        boxes: PassBoxes | None = None,
    ) -> None:
        self.boxes = boxes or PassBoxes(open_box)
        self.desk = desk
        self.settings = settings
        self.role = role
        self.cpus = cpus
        self.steady = bool(cpus)
        self.box: Box | None = None
        self.turnstile: subprocess.Popen[bytes] | None = None
        self.cpu_seconds = 0.0
        self.peak_bytes = 0
        self.oom_kills = 0
        self.unexplained = False
        self.out_of_turn = False

    def open(self) -> None:
        """Raises PlatformError where no box can be had."""
        self.close()
        with contextlib.ExitStack() as owned:
            ours, inside = (owned.enter_context(each) for each in socket.socketpair())
            arena = self.new_arena(owned)
            fds = (inside.fileno(), *arena)
            spec = agent_spec(
                self.settings,
                self.role,
                fds,
                self.cpus,
                steady=self.steady,
                core=self.desk.core,
                twice=self.boxes.twice,
            )
            self.box = self.boxes.open(spec)
            inside.close()
            judge_end = self.measured(ours, owned) if arena else ours
            lost = self.desk.attach(self.role, (judge_end.fileno(), *arena), START_SECONDS)
        if lost is not None:
            ending = self.end()
            raise PlatformError(f"the {self.role}'s box didn't start ({lost}, {ending}); run `mlsys doctor`")

    def new_arena(self, owner: contextlib.ExitStack) -> tuple[int, ...]:
        """The descriptor of an arena where the box races, none elsewhere."""
        if not self.cpus:
            return ()
        descriptor = arena_file()
        owner.callback(os.close, descriptor)
        return (descriptor,)

    def measured(self, ours: socket.socket, owner: contextlib.ExitStack) -> socket.socket:
        """The judge's end of the box's line, with a turnstile between."""
        assert self.box is not None  # noqa: S101 -- for the type checker
        judge_end, near = (owner.enter_context(each) for each in socket.socketpair())
        others = os.sched_getaffinity(0) - set(self.cpus)
        self.turnstile = start_turnstile(
            near.fileno(), ours.fileno(), self.box.init_pid, self.box.meters, others
        )
        return judge_end

    def fill(self, cells: tuple[str, ...]) -> None:
        """A new box with ``cells`` run in it."""
        self.open()
        for source in cells:
            self.desk.cell(source, 1 << 16, self.settings.limits.cell_seconds, self.role)

    def end(self, grace: float = 0.0) -> Ending | None:
        """Ends the box and says, from outside, how it had ended; ``grace`` lets a dying one finish.

        Raises PlatformError where its turnstile had failed.
        """
        if self.box is None:
            return None
        box, self.box = self.box, None
        status = self.end_turnstile(ending=grace > 0)
        with box:
            box.kill(grace)
            ending, used = box.ending(), self.count(box)
        self.oom_kills = used.oom_kills
        self.out_of_turn = status == OUT_OF_TURN
        if status not in (None, 0, OUT_OF_TURN):
            raise PlatformError(
                f"the turnstile of the {self.role}'s box failed ({status}); run `mlsys doctor`"
            )
        return ending

    def leave(self) -> None:
        """Ends the notebook's program, and its pass."""
        if self.box is not None:
            box, self.box = self.box, None
            self.boxes.leave(box)
            self.count(box)

    def count(self, box: Box) -> BoxUsage:
        """Adds what an ended box has used to what the notebook has."""
        used = box.usage()
        self.cpu_seconds += used.cpu_seconds
        self.peak_bytes = max(self.peak_bytes, used.peak_bytes)
        return used

    def usage(self, wall_seconds: float) -> Usage:
        """What its boxes have used so far."""
        if self.box is None:
            return Usage(self.cpu_seconds, self.peak_bytes, wall_seconds)
        used = self.box.usage()
        peak = max(self.peak_bytes, used.peak_bytes)
        return Usage(self.cpu_seconds + used.cpu_seconds, peak, wall_seconds)

    def end_turnstile(self, *, ending: bool) -> int | None:
        """The exit status that it came to by itself, where it was ``ending``; None where it is ended here."""
        if self.turnstile is None:
            return None
        turnstile, self.turnstile = self.turnstile, None
        if ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return turnstile.wait(TURNSTILE_SECONDS)
        turnstile.terminate()
        turnstile.wait()
        return None

    def verdict_of_end(self, how: str) -> Verdict:
        """What a lost box means: ``how`` is the judge's word (late, closed, nonsense). Sets
        ``unexplained`` where it was killed and nothing says by whom.

        Raises PlatformError where the box failed through no doing of its program.
        """
        self.unexplained = False
        ending = self.end(CLOSING_SECONDS if how == "closed" else 0.0)
        if ending is not None and ending.side is Side.BOX:
            raise PlatformError(f"the {self.role}'s box failed: {ending.detail}; run `mlsys doctor`")
        if self.oom_kills or (ending is not None and ending.cause is Cause.MEMORY):
            return Verdict.MEMORY
        if how == "late" or (ending is not None and ending.cause is Cause.CPU):
            return Verdict.TIMEOUT
        self.unexplained = ending is not None and (ending.cause, ending.signal) == KILLED
        return Verdict.CRASH

    def close(self) -> None:
        self.end()


def timed_out(words: str) -> Outcome:
    """Of a check that the judge has no outcome of its own for."""
    return Outcome(Verdict.TIMEOUT, 0.0, words, words, 0.0, None)


class Hearing:
    """One pass: the open one (visible checks, outputs kept) or the closed one (verdicts)."""

    def __init__(
        self,
        desk: JudgeDesk,
        plan: Plan,
        settings: Settings,
        *,
        open_pass: bool,
        tell: Callable[[], None],
        strays: Strays,
        cpus: tuple[int, ...] = (),
        boxes: PassBoxes | None = None,
    ) -> None:
        """``boxes`` are those of all passes.

        ``strays`` is the same for all tries of a pass. ``run`` raises Stray where it has to be tried again,
        with another hearing: checks may have kept what a box that is gone held.
        """
        self.desk = desk
        self.strays = strays
        self.plan = plan
        self.settings = settings
        self.open_pass = open_pass
        self.tell = tell
        self.notebook = BoxedNotebook(desk, settings, "student", cpus, boxes)
        self.replay: list[RunStep] = []
        self.heard: list[CheckStep] = []
        self.broken: dict[str, Verdict] = {}
        self.cells: list[CellResult] = []
        self.rulings: dict[str, Ruling] = {}
        self.cap = int(settings.limits.output_kb * 1024)
        self.left = settings.limits.notebook_seconds
        self.left_for_checks = settings.limits.notebook_seconds
        self.ready = False
        self.boxes_opened = 0
        self.usage = Usage()
        self.before_checks: Usage | None = None
        self.start = time.monotonic()

    def run(self) -> None:
        """The whole pass; speed checks are left to a lane of their own."""
        self.start = time.monotonic()
        try:
            for step in self.plan.steps:
                if isinstance(step, RunStep):
                    self.run_cell(step)
                elif self.open_pass or not step.speed:
                    if self.before_checks is None and not self.open_pass:
                        self.before_checks = self.used_so_far()
                    self.rulings[step.check] = self.run_check(step)
                self.tell()
            self.notebook.leave()
        finally:
            self.notebook.close()
        self.usage = self.used_so_far()

    def used_so_far(self) -> Usage:
        return self.notebook.usage(time.monotonic() - self.start)

    def told(self) -> Told:
        """Of an open pass."""
        return Told(tuple(self.cells), self.usage, self.rulings)

    def told_without_open(self) -> Told | None:
        """Of a closed pass over a quiet plan: what may be told without an open one; None where one is needed.

        What comes after the first check can depend on what hidden tests hold. So it isn't told, only whether
        there is anything. An open pass is also worth its time where this one took long.
        """
        first = min((step.index for step in self.plan.checks), default=math.inf)
        below = [each for each in self.cells if each.index > first]
        silent = all(each.status is Verdict.OK and not each.outputs for each in below)
        unseen = all(ruling.unseen for ruling in self.rulings.values())
        modest = self.usage.peak_bytes < MODEST * (self.settings.limits.memory_mb << 20)
        spent = 2 * self.settings.limits.notebook_seconds - self.left - self.left_for_checks
        if silent and unseen and modest and spent < QUICK_SECONDS and self.boxes_opened == 1:
            return Told(tuple(self.cells), self.before_checks or self.usage, {})
        return None

    # -- cells ----------------------------------------------------------------------------

    def run_cell(self, step: RunStep) -> None:
        self.prepare()
        status, outputs = self.try_cell(step, step.binds)
        if status in (Verdict.OK, Verdict.ERROR):
            self.replay.append(step)
        elif step.question:
            self.broken[step.question] = status
        self.cells.append(CellResult(step.index, status, outputs))

    def try_cell(
        self, step: RunStep, binds: frozenset[str] = frozenset()
    ) -> tuple[Verdict, tuple[dict[str, object], ...]]:
        seconds = min(self.settings.limits.cell_seconds, self.left)
        if seconds <= 0:
            return Verdict.TIMEOUT, ()
        start = time.monotonic()
        answer = self.desk.cell(step.source, self.cap, seconds, "student", binds)
        self.left -= time.monotonic() - start
        if answer["lost"] is not None:
            return self.lost(step, answer["lost"]), ()
        outputs = tuple(answer["outputs"])
        self.cap = max(0, self.cap - sum(len(str(each)) for each in outputs))
        return Verdict(answer["status"]), outputs

    def prepare(self) -> None:
        """A box with the cells so far in it; cells that end it now are left out from here on."""
        while not self.ready:
            self.notebook.open()
            self.boxes_opened += 1
            self.ready = True
            for step in list(self.replay):
                status, _ = self.try_cell(step)
                if not self.ready:
                    self.replay.remove(step)
                    if step.question:
                        self.broken[step.question] = status
                    break

    def lost(self, step: RunStep | CheckStep, how: str) -> Verdict:
        """What it means that the box was lost in this step. Raises Stray where nobody knows."""
        self.ready = False
        verdict = self.notebook.verdict_of_end(how)
        if self.notebook.unexplained:
            self.strays.note(step.index)
        return verdict

    # -- checks ---------------------------------------------------------------------------

    def run_check(self, step: CheckStep) -> Ruling:
        seconds = min(self.settings.check_seconds, self.left_for_checks)
        if seconds <= 0:
            return self.ruling(step, timed_out(SPENT_WORDS))
        self.prepare()
        start = time.monotonic()
        try:
            outcome = self.desk.check(step, self.open_pass, seconds)
            self.heard.append(step)
        except JudgeGone:
            if time.monotonic() - start < seconds:
                raise  # it didn't end for want of time: a fault
            outcome = timed_out(OVERRUN_WORDS)
            self.renew()
        finally:
            self.left_for_checks -= time.monotonic() - start
        if outcome.lost == REFERENCE:
            raise PlatformError(f"the reference's box ended in {step.check}; prove it with `mlsys verify`")
        if outcome.lost is not None:
            outcome = self.explain(outcome, self.lost(step, outcome.lost))
        return self.ruling(step, outcome)

    def renew(self) -> None:
        """A judge and a box like those before the check that the judge did not survive.

        What the student's code returned can keep the judge busy beyond any interruption (the sum of
        ``range(n)`` is one call in C, and ``n`` may be theirs): the check that met it has used up its time,
        as it would in any other grader, and the next ones go on with what the ones before it had bound.
        """
        self.desk.renew()
        self.renew_box()
        for step in self.heard:
            self.ready = self.desk.check(step, self.open_pass, self.settings.check_seconds).lost is None
            self.prepare()

    def renew_box(self) -> None:
        """A new box with the cells so far in it."""
        self.notebook.end()
        self.ready = False
        self.prepare()

    def explain(self, outcome: Outcome, verdict: Verdict) -> Outcome:
        words = MEMORY_WORDS if verdict is Verdict.MEMORY else outcome.message
        if self.notebook.out_of_turn:
            words = OUT_OF_TURN_WORDS
        return replace(outcome, verdict=verdict, message=words, points=0.0)

    def ruling(self, step: CheckStep, outcome: Outcome) -> Ruling:
        broken = self.broken.get(step.question)
        if broken is not None and outcome.verdict in (Verdict.ERROR, Verdict.WRONG):
            outcome = replace(outcome, verdict=broken, message=CELL_WORDS[broken])
        result = CheckResult(
            check=step.check,
            question=step.question,
            verdict=outcome.verdict,
            points=outcome.points,
            max_points=step.points,
            message=outcome.message,
            seconds=outcome.seconds,
            race=outcome.race,
        )
        return Ruling(result, outcome.staff, outcome.unseen)
