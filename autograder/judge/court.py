"""Judging from the outside: one judge process, and a hearing for each notebook.

Contract: ``Court.judge`` returns a result for every check, or results that are all FAULT where the
platform failed twice; a fault is never the student's. It may be called from several threads; each
call opens its boxes in its own thread and has closed them when it returns.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import autograder
from autograder.errors import PlatformError
from autograder.judge.boxes import PassBoxes
from autograder.judge.calibration import fit_for_races
from autograder.judge.desk import JudgeDesk
from autograder.judge.hearing import (
    MOUNT,
    BoxedNotebook,
    Hearing,
    Ruling,
    Stray,
    Strays,
    Told,
    agent_spec,
)
from autograder.judge.plan import CheckStep, Plan, RunStep
from autograder.judge.programs import packed_checks
from autograder.judge.records import CheckResult, NotebookResult, Usage, Verdict
from autograder.judge.server import CHECKS, READY, SESSION, WITH_TORCH
from autograder.judge.settings import Settings
from autograder.sandbox import Bind, Box, BoxSpec, Limits, SandboxError, interpreter, open_box
from autograder.sandbox.descriptors import memory_file
from autograder.sandbox.warm import WarmBoxes, why_cold
from autograder.speed.cores import beside_the_lanes
from autograder.speed.lane import lane
from autograder.speed.seat import seat

PACKAGE = Path(autograder.__file__).parent
LOADING_SECONDS = 120.0
JUDGE_LIMITS = Limits(
    cell_seconds=3600,
    notebook_seconds=86_400,
    cpu_seconds=86_400,
    memory_mb=8192,
    processes=512,
    file_mb=64,
    output_kb=1024,
    tmp_mb=64,
)
FAULT_WORDS = "The platform failed while it judged this; it is no fault of yours and will be judged again."
Progress = Callable[[int, int], None]
Seen = Callable[[NotebookResult], None]
Heard = TypeVar("Heard")


class Unfit(PlatformError):
    """The host can't measure speed now; trying again at once is of no use."""


@dataclass(frozen=True)
class Judgement:
    """A notebook's result, and for each failed check what only its author may read."""

    result: NotebookResult
    staff: dict[str, str]


class Court:
    """The judge process. Open it in a thread that outlives every call of ``judge``."""

    def __init__(self, *, warm: bool = True) -> None:
        """``warm``: students' boxes are forked from a process that has Python and the assignment's preloads
        loaded; otherwise each loads them itself. Races' boxes always do."""
        self.warm = warm
        self.boxes: WarmBoxes | None = None
        self.lock = threading.Lock()
        self.box: Box | None = None
        self.control: socket.socket | None = None
        self.told: tuple[tuple[str, str], ...] = ()  # the checks that the judge process knows
        self.with_torch = False
        self.awaited = 0  # how often the judge process will yet say that it's ready
        self.closed = True

    def __enter__(self) -> Court:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Starts the judge process, which loads numpy once for all; who asks for a judgement before that
        waits. Raises PlatformError where it can't be started."""
        with self.lock:
            self.closed = False
            self.boxes = WarmBoxes() if self.warm else None
            self._start()

    def wait(self) -> None:
        """Waits until the judge process is there, with what was prepared. One that ends before that is
        started once more. Raises PlatformError where none comes."""
        with self.lock:
            try:
                self._wait()
            except PlatformError:
                self._start_anew()

    def prepare(self, settings: Settings) -> None:
        """Loads what the assignment's boxes and judges are forked from, in the background. What goes wrong is
        told where a box or a session is asked for."""
        with self.lock, contextlib.suppress(OSError):
            if "torch" in settings.preload and self.control is not None:
                self._load_torch(self.control)
        if self.boxes is not None:
            self.boxes.prepare(agent_spec(settings, "student"), settings.preload)

    def close(self) -> None:
        """Ends the judge, and all judging soon, in any thread: what is running ends as a fault."""
        self.closed = True
        if (control := self.control) is not None:
            with contextlib.suppress(OSError):
                control.shutdown(socket.SHUT_RDWR)  # who waits for the judge, with the lock, waits no more
        with self.lock:
            self._stop()
            if self.boxes is not None:
                self.boxes.close()
                self.boxes = None

    def _start(self) -> None:
        if self.closed:
            raise PlatformError("the court is closed")
        self.control, theirs = socket.socketpair()
        self.told = ()
        self.with_torch = False
        self.awaited = 1
        with theirs:
            try:
                self.box = open_box(judge_spec(theirs.fileno()))
            except SandboxError as error:
                raise PlatformError(f"the judge's box didn't start: {error}; run `mlsys doctor`") from error

    def _load_torch(self, control: socket.socket) -> None:
        if not self.with_torch:
            control.send(WITH_TORCH)
            self.with_torch = True
            self.awaited += 1

    def _wait(self) -> None:
        while self.awaited and self.control is not None:
            self.control.settimeout(LOADING_SECONDS)
            try:
                ready = self.control.recv(1) == READY
            except OSError:
                ready = False
            if not ready:
                raise PlatformError("the judge process didn't start; run `mlsys doctor`")
            self.awaited -= 1

    def _start_anew(self) -> None:
        self._stop()
        self._start()
        self._wait()

    def _stop(self) -> None:
        if self.control is not None:
            self.control.close()
            self.control = None
        if self.box is not None:
            self.box.close()
            self.box = None

    def judge(
        self,
        plan: Plan,
        settings: Settings,
        seed: bytes,
        *,
        open_pass: bool = True,
        progress: Progress | None = None,
    ) -> NotebookResult:
        """Judges one notebook. ``seed`` decides every hidden input: keep it secret, and change it
        with the attempt."""
        return self.judge_for_staff(plan, settings, seed, open_pass=open_pass, progress=progress).result

    def judge_for_staff(
        self,
        plan: Plan,
        settings: Settings,
        seed: bytes,
        *,
        open_pass: bool = True,
        progress: Progress | None = None,
        seen: Seen | None = None,
    ) -> Judgement:
        """As ``judge``, with the tracebacks of failed checks, for the assignment's author. ``seen`` gets what
        the visible checks said before hidden ones are judged, and once more if all is judged again."""
        tell = counter(len(plan.steps) * passes_over(plan, open_pass, seen), progress)
        return tried_twice(plan, lambda: self._judge(plan, settings, seed, open_pass, tell, seen))

    def judge_visible(
        self, plan: Plan, settings: Settings, seed: bytes, *, progress: Progress | None = None
    ) -> NotebookResult:
        """The open pass alone, for students who check their work: ends in no grade, races nothing.

        Messages tell all that the checks of ``plan`` hold, so give it the text that students have.
        What ``progress`` raises ends the judging.
        """
        tell = counter(len(plan.steps), progress)
        return tried_twice(plan, lambda: self._judge_visible(plan, settings, seed, tell)).result

    def _judge_visible(
        self, plan: Plan, settings: Settings, seed: bytes, tell: Callable[[], None]
    ) -> Judgement:
        with (
            beside_others(plan) as core,
            self._desk(plan, seed, core) as desk,
            self._boxes(settings) as boxes,
        ):
            opened = self._pass(desk, boxes, settings, tell, open_pass=True)
            return Judgement(visible_result(plan, opened.told()), {})

    def _judge(
        self,
        plan: Plan,
        settings: Settings,
        seed: bytes,
        open_pass: bool,
        tell: Callable[[], None],
        seen: Seen | None,
    ) -> Judgement:
        passes = passes_over(plan, open_pass, seen)
        with (
            beside_others(plan) as core,
            self._desk(plan, seed, core) as desk,
            self._boxes(settings, passes) as boxes,
        ):
            hear = functools.partial(self._pass, desk, boxes, settings, tell)
            shown: Told | None
            if open_pass and passes == 1:
                closed = hear(open_pass=False)
                shown = closed.told_without_open() or hear(open_pass=True, afresh=True).told()
            else:
                shown = hear(open_pass=True).told() if open_pass else None
                if shown is not None and seen is not None:
                    seen(visible_result(plan, shown))
                closed = hear(open_pass=False)
        rulings = {**closed.rulings, **self._speed(plan, settings, seed, closed)}
        if shown is not None:
            rulings = {name: with_open_words(ruling, shown) for name, ruling in rulings.items()}
        ordered = [rulings[step.check] for step in plan.checks]
        result = NotebookResult(
            checks=tuple(ruling.result for ruling in ordered),
            cells=shown.cells if shown else (),
            usage=shown.usage if shown else closed.usage,
        )
        return Judgement(result, {r.result.check: r.staff for r in ordered if r.staff})

    def _pass(
        self,
        desk: JudgeDesk,
        boxes: PassBoxes,
        settings: Settings,
        tell: Callable[[], None],
        *,
        open_pass: bool,
        afresh: bool = False,
    ) -> Hearing:
        """``afresh``: in a judge process of its own."""

        def heard(strays: Strays) -> Hearing:
            if strays.seen or afresh:
                desk.renew()
            else:
                desk.begin()
            hearing = Hearing(
                desk,
                desk.plan,
                settings,
                open_pass=open_pass,
                tell=tell,
                strays=strays,
                boxes=boxes,
            )
            hearing.run()
            return hearing

        return until_undisturbed(heard)

    def _speed(self, plan: Plan, settings: Settings, seed: bytes, closed: Hearing) -> dict[str, Ruling]:
        """The speed checks, in the lane, where the rest of their question passed."""
        races = {step.check for step in plan.checks if step.speed and not failed_beside(step, closed)}
        rulings = {
            step.check: not_raced(step) for step in plan.checks if step.speed and step.check not in races
        }

        def raced(strays: Strays) -> dict[str, Ruling]:
            with self._desk(plan, strays.seed(seed)) as desk:
                desk.begin()
                return run_races(desk, plan, settings, races, closed, cpus, strays)

        if races:
            unfit = fit_for_races(self)
            if unfit is not None:
                raise Unfit(unfit)
            with lane() as cpus:
                rulings.update(until_undisturbed(raced))
        return rulings

    def _desk(self, plan: Plan, seed: bytes, core: int | None = None) -> contextlib.closing[JudgeDesk]:
        return contextlib.closing(JudgeDesk(lambda: self._connect(plan), plan, seed, core))

    def _boxes(self, settings: Settings, passes: int = 1) -> contextlib.closing[PassBoxes]:
        boxes = self.boxes

        def opened(spec: BoxSpec) -> Box:
            return open_box(spec) if boxes is None or why_cold(spec) else boxes.open(spec, settings.preload)

        return contextlib.closing(PassBoxes(opened, passes))

    def _connect(self, plan: Plan) -> socket.socket:
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            with theirs, self.lock:
                self._hand_over(plan, theirs.fileno())
            undo.pop_all()
        return ours

    def _hand_over(self, plan: Plan, fd: int) -> None:
        """Gives the judge a session; a judge that died is started again."""
        if not self._sent(plan, fd):
            self._start_anew()
            if not self._sent(plan, fd):
                raise PlatformError("the judge process can't be reached; run `mlsys doctor`")

    def _sent(self, plan: Plan, fd: int) -> bool:
        if self.control is None:  # a start that failed
            return False
        try:
            if plan.uses("torch"):
                self._load_torch(self.control)
            self._wait()
            self._tell_checks(self.control, plan)
            socket.send_fds(self.control, [SESSION], [fd])
        except (OSError, PlatformError):
            return False
        return True

    def _tell_checks(self, control: socket.socket, plan: Plan) -> None:
        """Has the judge compile these checks, unless the last notebook had the same."""
        texts = tuple((step.check, step.source) for step in plan.checks)
        if texts == self.told:
            return
        with contextlib.ExitStack() as owner:
            socket.send_fds(control, [CHECKS], [memory_file(packed_checks(plan.checks), owner)])
        self.told = texts


def judge_spec(fd: int) -> BoxSpec:
    """The judge's own box: the package, read-only, and nothing of any course."""
    return BoxSpec(
        argv=(interpreter().executable, "-m", "autograder.judge.server", str(fd)),
        limits=JUDGE_LIMITS,
        binds=(Bind(PACKAGE, f"{MOUNT}/autograder"),),
        env={"PYTHONPATH": MOUNT},
        pass_fds=(fd,),
        name="judge",
        diagnose=True,
    )


@contextlib.contextmanager
def beside_others(plan: Plan) -> Iterator[int | None]:
    """A core for correctness work of this thread, where one is free: off the lanes for an assignment that
    races, since others of its batch race meanwhile."""
    with contextlib.ExitStack() as undo:
        if any(step.speed for step in plan.checks):
            undo.enter_context(beside_the_lanes())
        yield undo.enter_context(seat())


def counter(total: int, progress: Progress | None) -> Callable[[], None]:
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(min(done, total), total)

    return tell


def passes_over(plan: Plan, open_pass: bool, seen: Seen | None) -> int:
    """How many there are as a rule. Over a quiet plan it is the closed one, and an open one has nothing to
    add to it; who waits for what visible checks say has it all the same."""
    return 2 if open_pass and not (plan.quiet and seen is None) else 1


def visible_result(plan: Plan, opened: Told) -> NotebookResult:
    checks = tuple(opened.rulings[step.check].result for step in plan.checks)
    return NotebookResult(checks, opened.cells, opened.usage)


def with_open_words(ruling: Ruling, opened: Told) -> Ruling:
    """The ruling with what may be told of the open pass: how long the check took there, and its message
    where it failed there, which may tell everything."""
    seen = opened.rulings.get(ruling.result.check)
    if seen is None:
        return Ruling(replace(ruling.result, seconds=0.0), ruling.staff)
    result = replace(ruling.result, seconds=seen.result.seconds)
    if Verdict.OK not in (ruling.result.verdict, seen.result.verdict):
        result = replace(result, message=seen.result.message)
    return Ruling(result, ruling.staff)


def failed_beside(step: CheckStep, closed: Hearing) -> bool:
    """Whether another check of the question failed, or there is none that passed."""
    beside = [r.result for r in closed.rulings.values() if r.result.question == step.question]
    return any(each.verdict is not Verdict.OK for each in beside)


def not_raced(step: CheckStep) -> Ruling:
    words = "Speed is measured once every other check of this question passes."
    return Ruling(CheckResult(step.check, step.question, Verdict.WRONG, 0.0, step.points, words), "")


def run_races(
    desk: JudgeDesk,
    plan: Plan,
    settings: Settings,
    races: set[str],
    closed: Hearing,
    cpus: tuple[int, ...],
    strays: Strays,
) -> dict[str, Ruling]:
    """The races of a notebook: the student's box and the reference's, both on one core."""
    student = Hearing(desk, plan, settings, open_pass=False, tell=lambda: None, strays=strays, cpus=cpus)
    reference = BoxedNotebook(desk, settings, "reference", cpus)
    session = 0
    try:
        for step in plan.steps:
            if isinstance(step, RunStep) and step in closed.replay:
                student.run_cell(step)
            elif isinstance(step, CheckStep) and step.check in races:
                weighs = "race_memory" in step.source
                # What earlier calls left in a box's memory would hide what this one's needs.
                fresh = weighs or not student.notebook.steady
                if fresh:
                    student.notebook.steady = reference.steady = not weighs
                    student.renew_box()
                if fresh or session != desk.sessions:
                    reference.fill(plan.reference)
                    session = desk.sessions
                ruling = student.rulings[step.check] = student.run_check(step)
                if ruling.result.verdict is Verdict.FAULT:
                    raise PlatformError(ruling.staff)
        return student.rulings
    finally:
        student.notebook.close()
        reference.close()


def until_undisturbed(hear: Callable[[Strays], Heard]) -> Heard:
    """What ``hear`` returns. It begins again, as a whole, where a kill that nobody explains broke in."""
    strays = Strays()
    while True:
        with contextlib.suppress(Stray):
            return hear(strays)


def tried_twice(plan: Plan, judge: Callable[[], Judgement]) -> Judgement:
    """What ``judge`` returns; it may fail once, through no doing of the student's."""
    for last in (False, True):
        try:
            return judge()
        except (PlatformError, SandboxError) as error:
            if last or isinstance(error, Unfit):
                return fault(plan, error)
    raise AssertionError("unreachable")


def fault(plan: Plan, error: Exception) -> Judgement:
    checks = tuple(
        CheckResult(step.check, step.question, Verdict.FAULT, 0.0, step.points, FAULT_WORDS)
        for step in plan.checks
    )
    return Judgement(NotebookResult(checks, (), Usage()), {step.check: str(error) for step in plan.checks})


__all__ = ["Court", "Judgement"]
