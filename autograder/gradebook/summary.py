"""What a student may read of a grading, as data: the feedback page without the cells.

Contract: ``result.json`` stands beside the feedback pages and is given back with them, so that what
a student sees of a grading never changes until feedback is given back again. It holds what the page
holds: points, safe messages, resources; text in it is plain, and whoever shows it escapes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from autograder.errors import PlatformError
from autograder.gradebook.attempts import Attempt
from autograder.gradebook.charts import Chart, Dot, Label, Look, Path, Place
from autograder.gradebook.grades import Mark
from autograder.gradebook.page import CheckView, ManualView, Page, QuestionView
from autograder.judge import Usage, Verdict

FILE = "result.json"
VERSION = 2
OLD = 1  # its charts were of another kind: their sentences are kept


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
        version = found.pop("version")
        if version not in (VERSION, OLD):
            raise ValueError("another version")
        check = _read_check if version == VERSION else _read_old_check
        times = {key: datetime.fromisoformat(found[key]) for key in ("submitted", "graded")}
        parts = {
            "notices": tuple(found["notices"]),
            "notebooks": tuple(_read_notebook(each, check) for each in found["notebooks"]),
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


def _read_notebook(
    found: Mapping[str, Any], read_check: Callable[[Mapping[str, Any]], CheckView]
) -> NotebookSummary:
    return NotebookSummary(
        name=found["name"],
        problem=found["problem"],
        questions=tuple(
            QuestionView(each["name"], each["title"], tuple(map(read_check, each["checks"])))
            for each in found["questions"]
        ),
        manual=tuple(ManualView(**each) for each in found["manual"]),
        repairs=tuple(found["repairs"]),
        usage=Usage(**found["usage"]),
    )


def _read_check(found: Mapping[str, Any]) -> CheckView:
    verdict = Verdict(found["verdict"])
    return CheckView(**{**found, "verdict": verdict, "chart": found["chart"] and _read_chart(found["chart"])})


def _read_old_check(found: Mapping[str, Any]) -> CheckView:
    told = found["message"] or (found["chart"] or {}).get("sentence", "")
    return _read_check({**found, "message": told, "chart": None})


def _read_chart(found: Mapping[str, Any]) -> Chart:
    return Chart(
        width=_finite(found["width"]),
        height=_finite(found["height"]),
        areas=tuple(map(_read_path, found["areas"])),
        lines=tuple(map(_read_path, found["lines"])),
        dots=tuple(
            Dot(Look(each["look"]), _finite(each["x"]), _finite(each["y"]), _finite(each["radius"]))
            for each in found["dots"]
        ),
        labels=tuple(
            Label(Look(each["look"]), _finite(each["x"]), _finite(each["y"]), each["text"], each["anchor"])
            for each in found["labels"]
        ),
        sentence=found["sentence"],
        notes=tuple(found["notes"]),
    )


def _read_path(found: Mapping[str, Any]) -> Path:
    return Path(Look(found["look"]), tuple(_read_place(*each) for each in found["places"]))


def _read_place(x: float, y: float) -> Place:
    return _finite(x), _finite(y)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a chart's place is no number")
    return value
