"""Feedback: a page for each notebook of a submission, for the student who wrote it.

A ``result.json`` beside the pages has the same as data, without the cells (see ``summary``).

Contract: a view of what is kept: attempts, judged notebooks, nbgrader's manual grades. A page has
the points, the words and the student's own cells with what they printed before any hidden test
was near; no source, value or traceback of a check. It is one file, needs no network and runs no
script. Everything in it is escaped; text is cleaned of terminal codes first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.errors import PlatformError
from autograder.files import write_whole
from autograder.gradebook.attempts import Attempt, AttemptNotebook, AttemptState, choose_newest
from autograder.gradebook.folders import attempt_folder
from autograder.gradebook.gradebook import ROLE, Gradebook
from autograder.gradebook.grades import ManualMark, manual_marks, mark_of
from autograder.gradebook.page import Page, cell_view, check_views, manual_view, render
from autograder.gradebook.summary import FILE, summarise, write_summary
from autograder.repair import Role

Cell = dict[str, Any]


def write_feedback(
    gradebook: Gradebook,
    student: str,
    assignment: str,
    *,
    title: str = "",
    titles: Mapping[str, str] | None = None,
) -> tuple[Path, ...]:
    """Writes the pages of a student's newest submission and returns their paths.

    ``title``: the assignment's; ``titles``: question id -> title, the id where there is none.
    Nothing is written, and () returned, where nothing was submitted or judged.
    """
    attempts = tuple(each for each in gradebook.attempts(student, assignment) if each.aside is None)
    if not attempts:
        return ()
    shown, notices = choose_newest(attempts), _notices(attempts)
    folder = gradebook.course / "feedback" / student / assignment
    if shown is None:
        page = _fault_page(attempts[-1], title, notices)
        _write(folder / FILE, write_summary(summarise(attempts[-1], [page], None)))
        return (_write(folder / f"{assignment}.html", render(page)),)
    with gradebook.database.reading() as session:
        marks = manual_marks(session, student, assignment) if shown.counts else ()
        mark = mark_of(session, student, assignment) if shown.counts else None
    pages = {}
    for notebook in shown.notebooks:
        cells = _cells(gradebook.course, shown, notebook)
        page = _page(shown, notebook, cells, marks, title, titles or {}, notices)
        pages[folder / f"{notebook.name}.html"] = page
    _write(folder / FILE, write_summary(summarise(shown, list(pages.values()), mark)))
    return tuple(_write(path, render(page)) for path, page in pages.items())


def _page(
    attempt: Attempt,
    notebook: AttemptNotebook,
    cells: list[Cell],
    marks: tuple[ManualMark, ...],
    title: str,
    titles: Mapping[str, str],
    notices: tuple[str, ...],
) -> Page:
    own = [cell for cell in cells if _role(cell) in (Role.ANSWER, Role.EXTRA)]
    return Page(
        title=title or attempt.assignment,
        notebook=notebook.name if len(attempt.notebooks) > 1 else "",
        student=attempt.student,
        attempt=attempt,
        points=sum(check.points for check in notebook.checks),
        max_points=sum(check.max_points for check in notebook.checks),
        notices=notices,
        problem=notebook.problem,
        questions=check_views(notebook.checks, titles),
        manual=tuple(manual_view(mark, titles) for mark in marks if mark.notebook == notebook.name),
        repairs=tuple(repair.sentence for repair in notebook.repairs),
        usage=notebook.usage,
        cells=() if notebook.problem else tuple(cell_view(cell, _grade_id(cell), titles) for cell in own),
    )


def _fault_page(attempt: Attempt, title: str, notices: tuple[str, ...]) -> Page:
    return Page(title or attempt.assignment, "", attempt.student, attempt, None, 0.0, notices)


def _notices(attempts: tuple[Attempt, ...]) -> tuple[str, ...]:
    """What the student has to know beside the attempt that is shown."""
    shown = choose_newest(attempts)
    notices = []
    if attempts[-1].state is AttemptState.FAULT:
        stands = "Your grade stays as it was" if shown else "You have no grade yet"
        notices.append(
            f"We could not judge your submission of {attempts[-1].submitted:%d %B %Y, %H:%M} UTC. "
            f"That was our fault. {stands}; the submission will be judged again."
        )
    counting = next((each for each in attempts if each.counts), None)
    if shown and counting and shown.id != counting.id:
        notices.append(
            f"This page is about attempt {shown.number}. Attempt {counting.number}, "
            f"with {counting.points:g} points, is the one that counts."
        )
    return tuple(notices)


def _cells(course: Path, attempt: Attempt, notebook: AttemptNotebook) -> list[Cell]:
    folder = attempt_folder(course, attempt.student, attempt.assignment, attempt.number)
    path = folder / f"{notebook.name}.ipynb"
    try:
        cells: list[Cell] = json.loads(path.read_bytes())["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise PlatformError(f"{path} can't be read: {error}; grade the submission again") from error
    return cells


def _role(cell: Cell) -> str:
    return str(cell["metadata"].get(ROLE, ""))


def _grade_id(cell: Cell) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def _write(path: Path, text: str) -> Path:
    """A page appears whole, in the place of the one before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode(), mode=0o644)
    return path
