"""Points by question, as nbgrader's grades have them: a person's corrections included.

Contract: reads only. A question that a person has still to grade has no points, not 0.
"""

from __future__ import annotations

from typing import Any

from nbgrader import api
from sqlalchemy import select

from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.tables import CheckRow, CountingRow, NotebookRow


def question_points(gradebook: Gradebook, assignment: str) -> dict[tuple[str, str], float | None]:
    """(student, question) -> points in one assignment, in the order of the questions."""
    found: dict[tuple[str, str], float | None] = {}
    for student, _, question, points, _, waits in graded_cells(gradebook, assignment):
        before = found.get((student, question), 0.0)
        found[student, question] = None if waits or before is None else before + points
    return found


def graded_cells(gradebook: Gradebook, assignment: str | None = None) -> list[tuple[Any, ...]]:
    """(student, assignment, question, points, max, waits) for each graded cell of each submission."""
    graded: Any = api.Grade
    wanted = (
        select(
            api.SubmittedAssignment.student_id,
            api.Assignment.name,
            api.Notebook.name,
            api.BaseCell.name,
            graded.score,
            graded.max_score,
            graded.auto_score.is_(None) & graded.manual_score.is_(None),
        )
        .select_from(graded)
        .join(api.SubmittedNotebook, api.SubmittedNotebook.id == graded.notebook_id)
        .join(api.Notebook, api.Notebook.id == api.SubmittedNotebook.notebook_id)
        .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .join(api.BaseCell, api.BaseCell.id == graded.cell_id)
        .order_by(api.SubmittedAssignment.student_id, api.Assignment.name, api.Notebook.name)
    )
    checks = (
        select(
            CountingRow.student,
            CountingRow.assignment,
            NotebookRow.name,
            CheckRow.name,
            CheckRow.question,
            CheckRow.position,
        )
        .join(NotebookRow, NotebookRow.attempt_id == CountingRow.attempt_id)
        .join(CheckRow, CheckRow.notebook_id == NotebookRow.id)
    )
    if assignment is not None:
        wanted = wanted.where(api.Assignment.name == assignment)
        checks = checks.where(CountingRow.assignment == assignment)
    with gradebook.database.reading() as session:
        question = {tuple(row[:4]): (row[4], row[5]) for row in session.execute(checks)}
        cells = [tuple(row) for row in session.execute(wanted)]
    last = len(question)
    cells.sort(key=lambda row: (*row[:3], question.get(row[:4], ("", last))[1], row[3]))
    return [
        (student, assignment, question.get((student, assignment, notebook, cell), (cell, 0))[0], *marks)
        for student, assignment, notebook, cell, *marks in cells
    ]
