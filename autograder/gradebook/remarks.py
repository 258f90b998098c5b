"""What is said about a grade in plain text, for a gradebook elsewhere that takes a comment with a grade.

Contract: reads only. It says what the feedback page says and no more: points by question, the safe
messages of checks, what people wrote. It begins with a letter, for what begins with a sign may be taken
for a formula.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nbgrader import api
from sqlalchemy import select

from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.page import SAID_BY_CHART
from autograder.gradebook.plain import plain
from autograder.gradebook.questions import graded_cells
from autograder.gradebook.standings import Standing
from autograder.gradebook.tables import CheckRow, CountingRow, NotebookRow
from autograder.judge import RaceResult

MOST = 4_000  # characters: a spreadsheet's cell takes 32,767, and nobody reads as many


def remarks(gradebook: Gradebook, assignment: str, standings: Mapping[str, Standing]) -> dict[str, str]:
    """Student -> what is said, of one assignment. ``standings``: by student, of those with an attempt."""
    points: dict[tuple[str, str], list[tuple[float, float, bool]]] = {}
    for student, _, question, got, most, waits in graded_cells(gradebook, assignment):
        points.setdefault((student, question), []).append((got, most, waits))
    said = _said(gradebook, assignment)
    found: dict[str, list[str]] = {
        student: list(_head(standing)) for student, standing in standings.items() if standing.attempt
    }
    for (student, question), marks in points.items():
        if student in found:
            found[student].append(_line(question, marks, said.get((student, question), [])))
    return {student: plain("\n".join(lines), MOST) for student, lines in found.items()}


def _head(standing: Standing) -> Iterator[str]:
    yield f"Attempt {standing.attempt} counts."
    if standing.penalty:
        yield f"Late: {standing.penalty:g} points were taken off."
    if standing.note:
        yield standing.note


def _line(question: str, marks: list[tuple[float, float, bool]], said: list[str]) -> str:
    got = sum(mark[0] for mark in marks)
    most = sum(mark[1] for mark in marks)
    waits = any(mark[2] for mark in marks)
    points = "not marked yet" if waits else f"{got:g} of {most:g} points"
    return " ".join([f"{question}: {points}.", *dict.fromkeys(said)])


def _said(gradebook: Gradebook, assignment: str) -> dict[tuple[str, str], list[str]]:
    """(student, question) -> messages of the checks of the attempt that counts, then people's comments."""
    checks = (
        select(CountingRow.student, CheckRow.question, CheckRow.message, CheckRow.race)
        .join(NotebookRow, NotebookRow.attempt_id == CountingRow.attempt_id)
        .join(CheckRow, CheckRow.notebook_id == NotebookRow.id)
        .where(CountingRow.assignment == assignment, CheckRow.message != "")
        .order_by(CheckRow.id)
    )
    comment: Any = api.Comment
    people: Any = (
        select(api.SubmittedAssignment.student_id, api.BaseCell.name, comment.manual_comment)
        .select_from(comment)
        .join(api.SubmittedNotebook, api.SubmittedNotebook.id == comment.notebook_id)
        .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .join(api.BaseCell, api.BaseCell.id == comment.cell_id)
        .where(api.Assignment.name == assignment, comment.manual_comment.is_not(None))
        .order_by(api.SubmittedAssignment.student_id, api.BaseCell.name)
    )
    with gradebook.database.reading() as session:
        messages = session.execute(checks).all()
        comments = session.execute(people).all()
    found: dict[tuple[str, str], list[str]] = {}
    for student, question, message, race in messages:
        if not _is_drawn(race):
            found.setdefault((student, question), []).append(plain(message, MOST).strip())
    for student, cell, words in comments:
        found.setdefault((student, cell), []).append(plain(words, MOST).strip())
    return found


def _is_drawn(race: str | None) -> bool:
    """Whether the page says it in a chart instead of in the message."""
    return race is not None and RaceResult.from_plain(json.loads(race)).kind in SAID_BY_CHART
