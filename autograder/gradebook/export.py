"""Exports the gradebook: a long CSV, a wide table, a table of questions.

Contract: reads the gradebook, writes only the file it is given. A cell for what was not graded is
empty, never 0. Text that a spreadsheet would run as a formula is made plain text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from autograder.files import write_whole
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.questions import graded_cells
from autograder.gradebook.standings import Standing, State

COLUMNS = (
    "student",
    "assignment",
    "state",
    "points",
    "max_points",
    "penalty",
    "late_seconds",
    "attempt",
    "verdict",
    "timestamp",
    "note",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def long_table(standings: Sequence[Standing]) -> pd.DataFrame:
    """One row a student and assignment."""
    rows = [[getattr(each, name) for name in COLUMNS] for each in standings]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def wide_table(standings: Sequence[Standing]) -> pd.DataFrame:
    """One row a student, one column an assignment, and a total; NaN for what was not graded.

    The total is NaN while anything is pending or a fault; what is missing adds nothing to it.
    """
    assignments = list(dict.fromkeys(each.assignment for each in standings))
    students = list(dict.fromkeys(each.student for each in standings))
    table = pd.DataFrame(float("nan"), index=pd.Index(students, name="student"), columns=assignments)
    for each in standings:
        if each.points is not None:
            table.loc[each.student, each.assignment] = each.points
    waiting = {each.student for each in standings if each.points is None and each.state is not State.MISSING}
    totals = table.sum(axis=1, min_count=1)
    table["total"] = totals.where(~totals.index.isin(sorted(waiting)))
    return table


def question_table(gradebook: Gradebook) -> pd.DataFrame:
    """One row a student, assignment and question of the attempts that count.

    Points are nbgrader's, a person's corrections included; NaN where one has still to grade.
    """
    columns = ["student", "assignment", "question", "points", "max_points"]
    rows = pd.DataFrame(graded_cells(gradebook), columns=[*columns, "waits"])
    keys = ["student", "assignment", "question"]
    table = rows.groupby(keys, sort=False, as_index=False).agg(
        {"points": "sum", "max_points": "sum", "waits": "any"}
    )
    table["points"] = table["points"].astype(float).mask(table["waits"].astype(bool))
    return table[columns]


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Writes a table as UTF-8 CSV, whole or not at all; a named index becomes the first column."""
    flat = table.reset_index() if table.index.name else table
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    out.writerow([cell_text(column) for column in flat.columns])
    out.writerows([cell_text(value) for value in row] for row in _values(flat))
    write_whole(path, text.getvalue().encode(), mode=0o644)


def cell_text(value: Any) -> str:
    """A value as CSV text: nothing for None and NaN, no formula, times in ISO 8601."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(value, int) else text


def _values(table: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    return table.itertuples(index=False, name=None)
