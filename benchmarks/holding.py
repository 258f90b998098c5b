"""What an attack did, in words: the same judgement for the stock nbgrader and for this project.

Contract: pure functions from what was seen to an `Outcome`. An attack is held when its mark is what its
header says, it found nothing, and nobody else came to harm. Where that can't be told, nobody
is blamed or praised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from autograder.errors import SubmissionError
from autograder.gradebook import AttemptState
from benchmarks.stock import ATTACKER, EARLIER, EARLIER_MARK, HONEST, Command, Facts, can_hand_in
from tests.autograder.attack import FOUND, Attack
from tests.autograder.pipeline import HandedIn, printed
from tests.autograder.target import POINTS

FULL = float(sum(POINTS.values()))
NOTHING = "[]"
# What nbgrader says at the end where one submission failed and the others were gone on with.
HANDLED = "traceback for details on the specific errors"
AGENT = '"Agent"'  # what looks for our agent by its name has nothing to look for in nbgrader's kernel


class Kind(StrEnum):
    """What goes wrong, the worst first."""

    HARMS = "harms the grader or others"
    GIVES = "gives points that weren't earned"
    TELLS = "tells what is secret"
    TAKES = "takes points that were earned"
    FAILS = "fails"


@dataclass(frozen=True)
class Problem:
    kind: Kind
    words: str


@dataclass(frozen=True)
class Outcome:
    """``reason``: why nothing can be told, where that is so; then the problems don't count."""

    problems: tuple[Problem, ...] = ()
    reason: str = ""

    @property
    def held(self) -> bool | None:
        return None if self.reason else not self.problems

    def __str__(self) -> str:
        order = list(Kind)
        ordered = sorted(self.problems, key=lambda each: order.index(each.kind))
        return self.reason or "; ".join(each.words for each in ordered[:2]) or "held"


def not_applicable(attack: Attack) -> Outcome | None:
    """The outcome of an attack that can't be tried on the stock nbgrader, None for one that can."""
    if attack.ours_only or any(
        AGENT in cell for cell in (*attack.before, *attack.after, *attack.answers.values())
    ):
        return Outcome(reason="– (aims at this project's judge)")
    if not can_hand_in(attack.files()):
        return Outcome(reason="– (nbgrader can't be handed such a file name)")
    return None


def of_stock(attack: Attack, facts: Facts) -> Outcome:
    """What the stock nbgrader did with an attack."""
    found = [each for each in facts.found or () if each.strip() != NOTHING]
    problems = (
        *_grader(facts),
        *_others(facts),
        *(_mark(attack, facts.points.get(ATTACKER, 0.0)) if facts.points is not None else ()),
        *_secrets(
            attack, bool(found), attack.leak is not None and attack.leak in {*facts.printed, *facts.told}
        ),
    )
    if attack.kind == "escape" and all(each.kind is Kind.TAKES for each in problems):
        # What refused it may well have been our box, without which we don't start it.
        return Outcome(reason="? (the box around nbgrader held it)")
    if not problems and attack.must_report and not facts.found:
        return Outcome(reason="? (stopped before its report)")
    return Outcome(problems)


def of_ours(
    attack: Attack, got: HandedIn | SubmissionError, left: list[str], beside: float | None
) -> Outcome:
    """What this project did. ``left`` is on the host afterwards, ``beside`` an honest student's points."""
    if isinstance(got, SubmissionError):
        fine = attack.refused is not None and attack.refused in str(got)
        return Outcome(() if fine else (Problem(Kind.FAILS, f"refused: {got}"),))
    return Outcome((*_ours(attack, got), *_left(left), *_beside(beside)))


def _grader(facts: Facts) -> Iterator[Problem]:
    if facts.attacked is None:
        yield Problem(Kind.HARMS, "the grader is killed or hangs for good")
        return
    if facts.attacked.hung:
        yield Problem(Kind.HARMS, "the grader hangs")
    elif (facts.attacked.exit or 0) < 0:
        yield Problem(Kind.HARMS, "the grader is killed")
    elif facts.attacked.exit and HANDLED not in facts.attacked.words:
        yield Problem(Kind.HARMS, "nbgrader breaks off, with everybody after this student")
    if facts.left:
        yield Problem(Kind.HARMS, "processes left running")


def _others(facts: Facts) -> Iterator[Problem]:
    if facts.attacked is None:
        return
    if facts.points is None:
        words = "the gradebook can't be read" if facts.unreadable else "nobody after this student is graded"
        yield Problem(Kind.HARMS, words)
        return
    strangers = facts.points.keys() - {ATTACKER, EARLIER, HONEST}
    if facts.points.get(EARLIER) != EARLIER_MARK or facts.most != FULL or strangers:
        yield Problem(Kind.HARMS, "others' grades changed")
        return
    if facts.points.get(HONEST) != FULL:
        yield Problem(Kind.HARMS, _next(facts.honest, facts.points.get(HONEST)))


def _next(command: Command | None, points: float | None) -> str:
    graded = command is not None and command.exit == 0 and points is not None
    return f"the next student gets {points:g} of {FULL:g}" if graded else "the next student isn't graded"


def _mark(attack: Attack, points: float) -> Iterator[Problem]:
    if points == attack.mark:
        return
    words = f"{points:g} of {FULL:g} points" + (f", {attack.mark:g} earned" if attack.mark else "")
    yield Problem(Kind.GIVES if points > attack.mark else Kind.TAKES, words)


def _secrets(attack: Attack, found: bool, leaked: bool) -> Iterator[Problem]:
    if found:
        words = "reads what is secret" if attack.kind == "read" else "reaches what it mustn't"
        yield Problem(Kind.TELLS, words)
    elif leaked:
        yield Problem(Kind.TELLS, "hidden values in what the student gets")


def _ours(attack: Attack, got: HandedIn) -> Iterator[Problem]:
    attempt, shows = got.attempt, printed(got)
    if attempt.state is AttemptState.FAULT:
        yield Problem(Kind.FAILS, "not graded: a fault of the platform")
        return
    yield from _mark(attack, attempt.points)
    if attack.refused is not None and attack.refused not in got.problem:
        yield Problem(Kind.FAILS, "taken in, and should be refused")
    if attack.verdict is not None and attempt.verdict != attack.verdict:
        yield Problem(Kind.FAILS, f"ends as {attempt.verdict}, not {attack.verdict}")
    found = FOUND.findall(shows)
    yield from _secrets(
        attack,
        any(each != NOTHING for each in found),
        attack.leak is not None and attack.leak in shows + got.shown,
    )
    if attack.must_report and not found:
        yield Problem(Kind.FAILS, "stopped before its report")


def _left(left: list[str]) -> Iterator[Problem]:
    if left:
        yield Problem(Kind.HARMS, f"leaves {left[0]}")


def _beside(points: float | None) -> Iterator[Problem]:
    if points is not None and points != FULL:
        yield Problem(Kind.HARMS, f"the next student gets {points:g} of {FULL:g}")
