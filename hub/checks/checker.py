"""Judges the visible checks of a student's notebook, in the grader's sandbox, with the grader's words.

Contract: a check runs with the text that the student's own, released notebook has of it. What a
source notebook hides reaches neither a box nor the judge: cells of the course are replaced by
their released text before anything is planned, so that no fault further on can show more than
students have. From the source come only names (which of them are the student's), imports and
points. Line numbers and messages are those of the grader's open pass, and so of the feedback.

Theory: the plan isn't made from the release alone, since the release doesn't say which names the
solution defines; checks would then look some names up elsewhere than the grader does.

Trusts nothing of the notebook. The court is used from the calling thread until it returns.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder.batch import read_sources
from autograder.errors import PlatformError, SubmissionError
from autograder.judge import (
    Court,
    NotebookResult,
    Plan,
    RunStep,
    Settings,
    Verdict,
    checks_of,
    plan_notebook,
)
from autograder.judge.court import Progress
from autograder.judge.plan import hidden_lines, nbgrader_metadata, parsed
from autograder.repair import Repaired, Role, read_notebook, released_text, repair_submission
from autograder.repair.source import normal
from course.material import read_assignment
from course.notebook import parse_notebook
from course.records import Course
from hub.checks.report import ListedCheck, Report, cell_report, question_reports

SUFFIX = ".ipynb"
MOST_CELLS = 20  # of which a submission is told


@dataclass(frozen=True)
class CheckRoom:
    """What checking an assignment needs. ``released``: the notebooks as students have them, by name;
    ``titles``: question id -> title."""

    assignment: str
    title: str
    sources: Mapping[str, NotebookNode]
    released: Mapping[str, NotebookNode]
    titles: Mapping[str, str] = field(default_factory=dict)


def check_room(
    course: Course, course_dir: Path, assignment: str, files: Mapping[str, bytes] | None = None
) -> CheckRoom:
    """The room of a course's assignment. ``files``: its release; None for the course directory's."""
    described = read_assignment(course, assignment)
    if files is None:
        files = released_files(course_dir, assignment)
    return CheckRoom(
        assignment=assignment,
        title=described.title,
        sources=read_sources(course_dir.resolve(), assignment),
        released={
            Path(name).stem: parse_notebook(data.decode())
            for name, data in files.items()
            if name.lower().endswith(SUFFIX)
        },
        titles={question.id: question.title for question in described.questions},
    )


def released_files(course_dir: Path, assignment: str) -> dict[str, bytes]:
    """The release in the course directory. Raises PlatformError where there is none."""
    folder = course_dir / "release" / assignment
    found = {path.name: path.read_bytes() for path in sorted(folder.glob(f"*{SUFFIX}"))}
    if not found:
        raise PlatformError(f"{folder} holds no notebook; run `mlsys release {assignment}` first")
    return found


def check_notebook(
    room: CheckRoom, court: Court, name: str, data: bytes, progress: Progress | None = None
) -> Report:
    """Checks one notebook. What is the student's or the platform's is in the report; raises
    AuthorError for a source that can't be used, and what ``progress`` raises."""
    wanted, repaired = chosen(repair_submission(room.sources, {name: data}), name)
    blank = Report(room.assignment, room.title, wanted)
    if isinstance(repaired, SubmissionError):
        return replace(blank, problem=problem_of(data, name, room.sources))
    source, released = room.sources[wanted], room.released.get(wanted)
    if released is None:
        return replace(blank, problem=f"{wanted}{SUFFIX} is not released, so there is nothing to check yet.")
    listed = listed_checks(source)
    plan = open_plan(repaired, source, released)
    seed = hashlib.sha256(b"\0".join((b"visible checks", wanted.encode(), data))).digest()
    result = court.judge_visible(plan, Settings.of_source(source), seed, progress=progress)
    return reported(blank, listed, repaired, result, room.titles)


def reported(
    blank: Report,
    listed: tuple[ListedCheck, ...],
    repaired: Repaired,
    result: NotebookResult,
    titles: Mapping[str, str],
) -> Report:
    """``blank`` with what visible checks said."""
    cells = tuple(
        cell_report(cell, grade_id_of(repaired.notebook.cells[cell.index]), titles)
        for cell in result.cells
        if cell.status is not Verdict.OK
    )
    fault = result.verdict is Verdict.FAULT
    return replace(
        blank,
        questions=() if fault else question_reports(listed, result, titles),
        cells=cells,
        repairs=tuple(each.sentence for each in repaired.repairs),
        fault=fault,
        seconds=round(result.usage.wall_seconds, 3),
    )


def graded_report(
    blank: Report, source: NotebookNode, repaired: Repaired, opened: NotebookResult, titles: Mapping[str, str]
) -> Report:
    """``blank`` with what the visible checks of a submission said while it was graded.

    Of what failed only the student's own cells are told: the course's have their text from the source here.
    """
    failed = [cell for cell in opened.cells if cell.status is not Verdict.OK]
    own = [cell for cell in failed if not repaired.roles[cell.index].is_the_courses]
    steps = checks_of(source)
    visible = {step.check for step in steps if runs_something(step.visible_source())}
    checks = tuple(each for each in opened.checks if each.check in visible)
    result = NotebookResult(checks, tuple(own[:MOST_CELLS]), opened.usage)
    return reported(blank, listed_checks(source), repaired, result, titles)


def chosen(
    found: Mapping[str, Repaired | SubmissionError], file: str
) -> tuple[str, Repaired | SubmissionError]:
    """Which of the assignment's notebooks the file is: by its name, else the one that it was repaired to."""
    stem = file.removesuffix(SUFFIX)
    usable = [name for name, each in found.items() if isinstance(each, Repaired)]
    name = stem if stem in found else next(iter(usable or found))
    return name, found[name]


def problem_of(data: bytes, name: str, sources: Mapping[str, NotebookNode]) -> str:
    """Why a file stands for none of the notebooks, in words."""
    try:
        read_notebook(data, name)
    except SubmissionError as error:
        return str(error)
    names = " or ".join(f"{each}{SUFFIX}" for each in sources)
    return f"{name} has no cell of {names}: check the notebook that you fetched."


def open_plan(repaired: Repaired, source: NotebookNode, released: NotebookNode) -> Plan:
    """What runs when a student checks their work: all of it is text that the student has."""
    texts = {grade_id_of(cell): cell.source for cell in released.cells if grade_id_of(cell)}
    notebook = copy.deepcopy(repaired.notebook)
    for cell, role in zip(notebook.cells, repaired.roles, strict=True):
        if role.is_the_courses:
            cell.source = open_text(cell, role, texts)
    plan = plan_notebook(notebook, source)
    steps = tuple(step for step in plan.steps if isinstance(step, RunStep) or runs_something(step.source))
    return replace(plan, steps=steps, reference=())


def open_text(cell: NotebookNode, role: Role, released: Mapping[str, str]) -> str:
    """A cell of the course's as the student has it; nothing where the release doesn't have it.

    Of a check the hidden lines stay as blank ones, so that its lines have the grader's numbers.
    """
    given = released_text(released.get(grade_id_of(cell), ""))
    if role is not Role.CHECK:
        return given
    hidden = hidden_lines(cell.source, grade_id_of(cell))
    lines = enumerate(cell.source.split("\n"), 1)
    blanked = "\n".join("" if number in hidden else line for number, line in lines)
    return blanked if normal(blanked) == normal(given) else given


def runs_something(text: str) -> bool:
    """Whether a check's text has a statement; one that is no Python has to be judged to be told."""
    module = parsed(text)
    return module is None or bool(module.body)


def listed_checks(source: NotebookNode) -> tuple[ListedCheck, ...]:
    """The source's checks with their questions, hidden or not."""
    return tuple(
        ListedCheck(step.check, step.question, step.points, step.speed) for step in checks_of(source)
    )


def grade_id_of(cell: NotebookNode) -> str:
    return str(nbgrader_metadata(cell).get("grade_id", ""))
