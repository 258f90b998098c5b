"""What a student may read of a grading, as data: the feedback page without the cells.

Contract: ``result.json`` stands beside the feedback pages and is given back with them, so that what
a student sees of a grading never changes until feedback is given back again. It holds what the page
holds: points, safe messages, resources; text in it is plain, and whoever shows it escapes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from autograder.errors import PlatformError
from autograder.gradebook.attempts import Attempt
from autograder.gradebook.chart import Chart, Tick
from autograder.gradebook.grades import Mark
from autograder.gradebook.page import CheckView, ManualView, Page, QuestionView
from autograder.judge import Usage, Verdict

FILE = "result.json"
VERSION = 1


@dataclass(frozen=True)
class NotebookSummary:
    """One notebook of the attempt; ``problem`` where it could not be graded."""

    name: str
    problem: str
    questions: tuple[QuestionView, ...]
    manual: tuple[ManualView, ...]
    repairs: tuple[str, ...]
    usage: Usage


@dataclass(frozen=True)
class Summary:
    """An attempt as its student may see it. ``points``: what counts, lateness taken off, None where
    there is no grade yet; ``waits``: a person has still to grade a part of it."""

    attempt: int
    submitted: datetime
    graded: datetime
    late_seconds: float
    penalty: float
    points: float | None
    max_points: float
    waits: bool
    notices: tuple[str, ...]
    notebooks: tuple[NotebookSummary, ...]

    @property
    def by_hand(self) -> float:
        """Points that a person gave (below 0: took) beside what checks and marked answers add up to."""
        if self.points is None:
            return 0.0
        listed = sum(each.points for notebook in self.notebooks for each in notebook.questions)
        marked = sum(each.points or 0.0 for notebook in self.notebooks for each in notebook.manual)
        return round(self.points + self.penalty - listed - marked, 6) if self.points else 0.0


def summarise(attempt: Attempt, pages: Sequence[Page], mark: Mark | None) -> Summary:
    """The summary of the pages of an attempt; ``mark`` is nbgrader's, of the attempt that counts."""
    judged = any(page.points is not None for page in pages)
    points = max(0.0, attempt.points - attempt.penalty) if judged else None
    if mark is not None and judged:
        points = max(0.0, mark.points - attempt.penalty)
    return Summary(
        attempt=attempt.number,
        submitted=attempt.submitted,
        # To the minute: finer, it would tell how long the hidden tests took, which a student can decide.
        graded=attempt.graded.replace(second=0, microsecond=0),
        late_seconds=attempt.late_seconds,
        penalty=attempt.penalty,
        points=points,
        max_points=mark.max_points if mark is not None else attempt.max_points,
        waits=mark is not None and mark.ungraded,
        notices=tuple(dict.fromkeys(notice for page in pages for notice in page.notices)),
        notebooks=tuple(_notebook(page) for page in pages),
    )


def write_summary(summary: Summary) -> str:
    """The summary as JSON."""
    return json.dumps({"version": VERSION, **asdict(summary)}, default=_plain, ensure_ascii=False)


def read_summary(data: bytes) -> Summary:
    """The summary of JSON that ``write_summary`` made. Raises PlatformError for any other."""
    try:
        found = json.loads(data)
        if found.pop("version") != VERSION:
            raise ValueError("another version")
        times = {key: datetime.fromisoformat(found[key]) for key in ("submitted", "graded")}
        parts = {
            "notices": tuple(found["notices"]),
            "notebooks": tuple(_read_notebook(each) for each in found["notebooks"]),
        }
        return Summary(**{**found, **times, **parts})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PlatformError(f"{FILE} can't be read: {error}; give the feedback back again") from error


def _notebook(page: Page) -> NotebookSummary:
    return NotebookSummary(page.notebook, page.problem, page.questions, page.manual, page.repairs, page.usage)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value)} is no plain data")


def _read_notebook(found: Mapping[str, Any]) -> NotebookSummary:
    return NotebookSummary(
        name=found["name"],
        problem=found["problem"],
        questions=tuple(
            QuestionView(each["name"], each["title"], tuple(map(_read_check, each["checks"])))
            for each in found["questions"]
        ),
        manual=tuple(ManualView(**each) for each in found["manual"]),
        repairs=tuple(found["repairs"]),
        usage=Usage(**found["usage"]),
    )


def _read_check(found: Mapping[str, Any]) -> CheckView:
    chart = found["chart"]
    drawn = Chart(**{**chart, "ticks": tuple(Tick(**tick) for tick in chart["ticks"])}) if chart else None
    return CheckView(**{**found, "verdict": Verdict(found["verdict"]), "chart": drawn})
