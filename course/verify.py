"""Proves an assignment: judges submissions whose marks are known beforehand.

    reference   full marks             repeat      the reference again and again: full marks
    stub        0                      chameleon   0, in every persona
    wrong       its declared mark, and only declared questions lose points
    right       full marks

A right or wrong case that changes a question with a race is judged a few times, and must get the same points
in that race each time (see ``steadiness``).

Contract: what is judged is what a student could hand in, with the instructor's test cells put
back as at grading. A FAULT of the platform proves nothing either way and is reported as such.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from nbformat import NotebookNode

from autograder.judge import Judgement, Plan, Settings, Verdict, plan_notebook
from course.assignment import Assignment, Variant
from course.chameleon import PERSONAS, compose_chameleon
from course.compose import compose_source, compose_stub, compose_submission, restore
from course.steadiness import Steadiness, steadiness

CLOSE = 1e-6
MOST_RACES = 3


class Proof(StrEnum):
    """What was proved."""

    PROVED = "proved"
    REFUTED = "refuted"
    FAULT = "fault"


class Claim(StrEnum):
    """What kind of submission a case is."""

    REFERENCE = "reference"
    STUB = "stub"
    WRONG = "wrong"
    RIGHT = "right"
    CHAMELEON = "chameleon"
    REPEAT = "repeat"


@dataclass(frozen=True)
class Case:
    """A submission, how many points it must get, and which questions may lose points. It is judged with
    ``seeds``, and with ``more`` too where a question that it may have changed has a race."""

    assignment: str
    claim: Claim
    name: str
    notebook: NotebookNode
    source: NotebookNode
    expected: float
    may_change: frozenset[str]
    seeds: tuple[bytes, ...]
    more: tuple[bytes, ...] = ()

    @property
    def raced(self) -> frozenset[str] | None:
        """The questions whose races say something about this case; None for all."""
        return None if self.claim in (Claim.REFERENCE, Claim.REPEAT, Claim.RIGHT) else self.may_change


@dataclass(frozen=True)
class Failure:
    """A check that didn't give all its points. ``staff`` is for the author's eyes only."""

    check: str
    question: str
    verdict: Verdict
    points: float
    max_points: float
    message: str
    staff: str


@dataclass(frozen=True)
class Row:
    """What judging a case showed. ``got`` is one mark for each time that it was judged."""

    assignment: str
    claim: Claim
    name: str
    expected: float
    got: tuple[float, ...]
    proof: Proof
    reason: str
    seconds: float
    failures: tuple[Failure, ...]
    races: tuple[Steadiness, ...] = ()


class Bench(Protocol):
    """What judges: ``autograder.judge.Court``. Called from several threads."""

    def judge_for_staff(self, plan: Plan, settings: Settings, seed: bytes, *, open_pass: bool) -> Judgement:
        """Judges one notebook."""


def verify(
    assignment: Assignment,
    court: Bench,
    *,
    repeats: int = 10,
    workers: int = 2,
    only: Collection[Claim] | None = None,
    name: str = "",
) -> Generator[Row, None, None]:
    """A row for each of ``cases``, as they come; the reference is judged ``repeats`` times, and a case with
    a race of its own at most MOST_RACES of them.

    Closing it drops the cases that haven't begun.
    """
    yield from prove(cases(assignment, repeats, only=only, name=name), court, workers)


def prove(proposed: Sequence[Case], court: Bench, workers: int) -> Generator[Row, None, None]:
    """A row for each case, of any assignments, as they come; cases begin in the order given."""
    results: list[dict[int, tuple[Judgement, float]]] = [{} for _ in proposed]
    futures: dict[Future[tuple[Judgement, float]], tuple[int, int]] = {}
    with ThreadPoolExecutor(workers) as pool:

        def judge(index: int, seeds: Sequence[bytes], first: int = 0) -> None:
            case = proposed[index]
            for number, seed in enumerate(seeds, first):
                futures[pool.submit(_judge, court, case.notebook, case.source, seed)] = index, number

        try:
            for index, case in enumerate(proposed):
                judge(index, case.seeds)
            while futures:
                for future in wait(futures, return_when=FIRST_COMPLETED).done:
                    index, number = futures.pop(future)
                    case = proposed[index]
                    results[index][number] = future.result()
                    judged = [results[index][each] for each in sorted(results[index])]
                    if len(judged) == len(case.seeds) and case.more and _races(case, judged):
                        judge(index, case.more, len(judged))
                    elif len(judged) in (len(case.seeds), len(case.seeds) + len(case.more)):
                        yield _row(case, judged)
        finally:
            pool.shutdown(cancel_futures=True)


def cases(
    assignment: Assignment, repeats: int = 10, *, only: Collection[Claim] | None = None, name: str = ""
) -> tuple[Case, ...]:
    """Every case that proves the assignment, or those of some kinds whose name contains ``name``."""
    every = _all_cases(assignment, repeats)
    return tuple(case for case in every if (not only or case.claim in only) and name in case.name)


def _all_cases(assignment: Assignment, repeats: int) -> tuple[Case, ...]:
    every = frozenset(question.id for question in assignment.questions)
    full, source = assignment.points, compose_source(assignment)

    def case(
        claim: Claim,
        name: str,
        notebook: NotebookNode,
        expected: float,
        may_change: frozenset[str],
        times: int = 1,
    ) -> Case:
        most = max(times, min(repeats, MOST_RACES)) if claim in (Claim.WRONG, Claim.RIGHT) else times
        seeds = tuple(_seed(assignment.id, claim, name, number) for number in range(most))
        judged = restore(notebook, source)
        return Case(
            *(assignment.id, claim, name, judged, source, expected, may_change),
            seeds=seeds[:times],
            more=seeds[times:],
        )

    def written(claim: Claim, variant: Variant) -> Case:
        notebook = compose_submission(assignment, variant)
        return case(claim, variant.name, notebook, variant.mark, frozenset(variant.changes))

    reference = compose_submission(assignment)
    found = [
        case(Claim.REFERENCE, "reference", reference, full, frozenset()),
        case(Claim.STUB, "stub", compose_stub(assignment), 0, every),
        *(written(Claim.WRONG, variant) for variant in assignment.wrong),
        *(written(Claim.RIGHT, variant) for variant in assignment.right),
        *(
            case(Claim.CHAMELEON, persona.name, compose_chameleon(assignment, persona), 0, every)
            for persona in PERSONAS
        ),
    ]
    if repeats > 1:
        found.append(case(Claim.REPEAT, f"{repeats} times", reference, full, frozenset(), repeats - 1))
    return tuple(found)


def _seed(*parts: object) -> bytes:
    """Other hidden inputs in each case, and the same ones whenever it is proved again."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).digest()


def _judge(
    court: Bench, notebook: NotebookNode, source: NotebookNode, seed: bytes
) -> tuple[Judgement, float]:
    started = time.perf_counter()
    plan = plan_notebook(notebook, source)
    judgement = court.judge_for_staff(plan, Settings.of_source(source), seed, open_pass=False)
    return judgement, time.perf_counter() - started


def _row(case: Case, judged: list[tuple[Judgement, float]]) -> Row:
    failures = tuple(failure for judgement, _ in judged for failure in _failures(judgement))
    got = tuple(judgement.result.points for judgement, _ in judged)
    races = _races(case, judged)
    proof, reason = _ruling(case, got, failures, races)
    return Row(
        assignment=case.assignment,
        claim=case.claim,
        name=case.name,
        expected=case.expected,
        got=got,
        proof=proof,
        reason=reason,
        seconds=sum(seconds for _, seconds in judged),
        failures=failures,
        races=races,
    )


def _races(case: Case, judged: list[tuple[Judgement, float]]) -> tuple[Steadiness, ...]:
    return steadiness([judgement.result for judgement, _ in judged], case.raced)


def _failures(judgement: Judgement) -> Iterator[Failure]:
    for check in judgement.result.checks:
        if check.verdict is not Verdict.OK or check.points < check.max_points - CLOSE:
            yield Failure(
                check=check.check,
                question=check.question,
                verdict=check.verdict,
                points=check.points,
                max_points=check.max_points,
                message=check.message,
                staff=judgement.staff.get(check.check, ""),
            )


def _ruling(
    case: Case, got: tuple[float, ...], failures: tuple[Failure, ...], races: tuple[Steadiness, ...]
) -> tuple[Proof, str]:
    if any(failure.verdict is Verdict.FAULT for failure in failures):
        return Proof.FAULT, "the platform failed; run it again, and 'mlsys doctor' if it stays"
    undeclared = {failure.question for failure in failures} - case.may_change
    if undeclared and case.claim is Claim.WRONG:
        return Proof.REFUTED, f"also loses points in {', '.join(sorted(undeclared))}: declare it in 'changes'"
    wavering = [race.wavering for race in races if race.wavering]
    if wavering:
        return Proof.REFUTED, "; ".join(wavering)
    room = max(CLOSE, sum(race.room for race in races))
    missed = sorted({points for points in got if abs(points - case.expected) > room})
    if missed:
        return Proof.REFUTED, f"got {', '.join(f'{points:g}' for points in missed)}, not {case.expected:g}"
    return Proof.PROVED, ""
