"""The feedback page: what is on it, and its HTML.

Contract: ``Page`` holds plain text and numbers only; ``render`` escapes all of it. The style is
allowed by its hash, images as PNG data, and nothing else (Content-Security-Policy).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.gradebook.attempts import Attempt
from autograder.gradebook.charts import FOLDER, Chart, draw
from autograder.gradebook.grades import ManualMark
from autograder.gradebook.marking import words_for
from autograder.gradebook.plain import plain, png
from autograder.judge import CheckResult, RaceKind, Usage, Verdict

HERE = Path(__file__).parent
SAID_BY_CHART = (RaceKind.SPEED, RaceKind.MEMORY)  # a growth can fail for more than its exponent


@dataclass(frozen=True)
class CheckView:
    """One check: its name without "check-", how it ended in words, what it says."""

    name: str
    verdict: Verdict
    words: str
    points: float
    max_points: float
    message: str
    seconds: float
    chart: Chart | None

    @property
    def mood(self) -> str:
        """good, part or bad: the colour and the sign."""
        if self.verdict is Verdict.OK and self.points == self.max_points:
            return "good"
        return "part" if self.points > 0 else "bad"


@dataclass(frozen=True)
class QuestionView:
    """A question and its checks."""

    name: str
    title: str
    checks: tuple[CheckView, ...]

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def max_points(self) -> float:
        return sum(check.max_points for check in self.checks)


@dataclass(frozen=True)
class ManualView:
    """An answer that a person grades; ``points`` is None until they have."""

    title: str
    points: float | None
    max_points: float
    comment: str


@dataclass(frozen=True)
class OutputView:
    """One output: ``kind`` is text, stderr, error, image or note; ``body`` text or base64."""

    kind: str
    body: str


@dataclass(frozen=True)
class CellView:
    """One of the student's cells."""

    label: str
    kind: str
    text: str
    outputs: tuple[OutputView, ...]


@dataclass(frozen=True)
class Page:
    """All that a page shows. ``points`` is None where nothing was judged."""

    title: str
    notebook: str
    student: str
    attempt: Attempt
    points: float | None
    max_points: float
    notices: tuple[str, ...] = ()
    problem: str = ""
    questions: tuple[QuestionView, ...] = ()
    manual: tuple[ManualView, ...] = ()
    repairs: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    cells: tuple[CellView, ...] = ()


def check_views(checks: Iterable[CheckResult], titles: Mapping[str, str]) -> tuple[QuestionView, ...]:
    """The checks by question, in the order of the notebook."""
    by_question: dict[str, list[CheckView]] = {}
    for check in checks:
        view = CheckView(
            name=check.check.removeprefix("check-"),
            verdict=check.verdict,
            words=words_for(check),
            points=check.points,
            max_points=check.max_points,
            message="" if check.race and check.race.kind in SAID_BY_CHART else plain(check.message),
            seconds=check.seconds,
            chart=draw(check.race) if check.race else None,
        )
        by_question.setdefault(check.question, []).append(view)
    return tuple(
        QuestionView(name, titles.get(name, name), tuple(views)) for name, views in by_question.items()
    )


def manual_view(mark: ManualMark, titles: Mapping[str, str]) -> ManualView:
    """An answer for a person, with their comment."""
    return ManualView(titles.get(mark.cell, mark.cell), mark.points, mark.max_points, plain(mark.comment))


def cell_view(cell: dict[str, Any], grade_id: str, titles: Mapping[str, str]) -> CellView:
    """A cell of a judged notebook that is the student's."""
    return CellView(
        label=titles.get(grade_id, grade_id) or "Your own cell",
        kind=cell["cell_type"],
        text=plain("".join(cell["source"])),
        outputs=tuple(_output_view(output) for output in cell.get("outputs", [])),
    )


def render(page: Page) -> str:
    """The page's HTML."""
    environment, style, csp = _template()
    return environment.get_template("feedback.html.j2").render(page=page, style=style, csp=csp)


def number(value: float) -> str:
    """4 for 4.0, 2.5 for 2.5."""
    return f"{value:.4g}" if value < 1000 else f"{value:.0f}"


def about(value: float) -> str:
    """A measured value with two digits or more: 0.34, 25, 1204."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


@cache
def _template() -> tuple[Environment, Markup, str]:
    environment = Environment(
        loader=FileSystemLoader([HERE, FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, about=about)
    style = "".join(
        path.read_text(encoding="utf-8") for path in (HERE / "feedback.css", FOLDER / "chart.css")
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    csp = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return environment, Markup(style), csp  # noqa: S704 - our own style sheet


def _output_view(output: dict[str, Any]) -> OutputView:
    kind = output.get("output_type")
    if kind == "stream":
        return OutputView("stderr" if output["name"] == "stderr" else "text", plain("".join(output["text"])))
    if kind == "error":
        trace = plain("\n".join(output["traceback"])) or plain(f"{output['ename']}: {output['evalue']}")
        return OutputView("error", trace)
    data = output.get("data", {})
    image = png("".join(data["image/png"])) if "image/png" in data else None
    if image is not None:
        return OutputView("image", image)
    if "text/plain" in data:
        return OutputView("text", plain("".join(data["text/plain"])))
    return OutputView("note", "This kind of output isn't shown here.")
