"""What a student reads after checking their work: records that become JSON.

Contract: nothing here is a grade. Of a check there is what the student has anyway (its id, its
points, the words of the open pass); of a check whose tests are all hidden only that it is there.
Text is cleaned of terminal codes and control characters; who shows it escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from autograder.gradebook.marking import WORDS
from autograder.gradebook.plain import plain
from autograder.judge import CellResult, CheckResult, NotebookResult, Verdict

HIDDEN_WORDS = "Hidden: judged when you submit"
SPEED_WORDS = "Right here; its speed is measured when you submit"
NO_GRADE = "Hidden checks decide the points when you submit."
FAULT_WORDS = "The platform failed while it checked this; it is no fault of yours. Try again in a minute."
MAX_CELL_TEXT = 6_000
RULE = re.compile(r"-{20,}\n")  # with which IPython begins a traceback


@dataclass(frozen=True)
class CheckReport:
    """One check. ``verdict`` is None where all its tests are hidden; ``points`` are those it can give."""

    id: str
    title: str
    points: float
    verdict: Verdict | None
    words: str
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class QuestionReport:
    """A question and its checks, in the notebook's order."""

    id: str
    title: str
    points: float
    checks: tuple[CheckReport, ...]


@dataclass(frozen=True)
class CellReport:
    """A cell of the student's that didn't run to its end. ``id`` is its grade_id, or empty."""

    id: str
    title: str
    words: str
    text: str


@dataclass(frozen=True)
class Report:
    """The check of one notebook. ``problem``: why it can't be read. ``fault``: the platform failed."""

    assignment: str
    title: str
    notebook: str
    questions: tuple[QuestionReport, ...] = ()
    cells: tuple[CellReport, ...] = ()
    repairs: tuple[str, ...] = ()
    problem: str = ""
    fault: bool = False
    seconds: float = 0.0

    @property
    def judged(self) -> tuple[CheckReport, ...]:
        """The checks that students can see."""
        return tuple(c for question in self.questions for c in question.checks if c.verdict is not None)

    @property
    def passed(self) -> int:
        return sum(check.verdict is Verdict.OK for check in self.judged)

    @property
    def all_passed(self) -> bool:
        return not self.problem and not self.fault and self.passed == len(self.judged)

    @property
    def summary(self) -> str:
        """The report in a sentence or two."""
        if self.problem:
            return self.problem
        if self.fault:
            return FAULT_WORDS
        count = len(self.judged)
        if count == 0:
            return f"This notebook has no visible checks. {NO_GRADE}"
        return f"{self.passed} of {count} visible checks passed. {NO_GRADE}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        counted = {"passed": self.passed, "visible": len(self.judged), "all_passed": self.all_passed}
        return {**asdict(self), **counted, "summary": self.summary}


@dataclass(frozen=True)
class ListedCheck:
    """A check as the source lists it."""

    id: str
    question: str
    points: float
    speed: bool = False


def question_reports(
    listed: Iterable[ListedCheck], result: NotebookResult, titles: Mapping[str, str]
) -> tuple[QuestionReport, ...]:
    """The checks by question; one without a result has no visible tests."""
    results = {check.check: check for check in result.checks}
    by_question: dict[str, list[CheckReport]] = {}
    for each in listed:
        report = check_report(each, results.get(each.id))
        by_question.setdefault(each.question, []).append(report)
    return tuple(
        QuestionReport(name, titles.get(name, name), sum(check.points for check in checks), tuple(checks))
        for name, checks in by_question.items()
    )


def check_report(listed: ListedCheck, result: CheckResult | None) -> CheckReport:
    title = listed.id.removeprefix("check-")
    if result is None:
        return CheckReport(listed.id, title, listed.points, None, HIDDEN_WORDS)
    return CheckReport(
        id=listed.id,
        title=title,
        points=listed.points,
        verdict=result.verdict,
        words=SPEED_WORDS if listed.speed and result.verdict is Verdict.OK else WORDS[result.verdict],
        message=plain(result.message),
        seconds=round(result.seconds, 3),
    )


def cell_report(cell: CellResult, grade_id: str, titles: Mapping[str, str]) -> CellReport:
    """A cell that failed, with the error that it ended in."""
    errors = [output for output in cell.outputs if output.get("output_type") == "error"]
    text = ""
    if errors:
        trace = RULE.sub("", plain("\n".join(errors[-1]["traceback"])), count=1)
        text = trace or plain(f"{errors[-1]['ename']}: {errors[-1]['evalue']}")
    title = titles.get(grade_id, grade_id) or f"Cell {cell.index + 1}"
    return CellReport(grade_id, title, WORDS[cell.status], text[-MAX_CELL_TEXT:])
