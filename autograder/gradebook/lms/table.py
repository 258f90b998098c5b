"""Plain tables: CSV with a byte order mark, by which Excel knows its encoding, and Excel itself.

One row a student and assignment, with all ids that are known. In Excel ids and feedback are text whatever
they begin with; in CSV text that a spreadsheet would run has an apostrophe before it, and ids are as they
are.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import pandas as pd

from autograder.gradebook.gradetable import StudentKeys
from autograder.gradebook.lms.inert import CONTROL, inert
from autograder.gradebook.lms.plan import EXCUSED_MARK, Item
from autograder.gradebook.lms.writing import csv_bytes

if TYPE_CHECKING:
    from openpyxl.cell import Cell

DELIMITERS = (",", ";", "\t")
NAME = "name"
COLUMNS = ((NAME,),)
IDS = tuple(field.name for field in fields(StudentKeys))
GRADES = ("course", "assignment", "title", "state", "score", "maximum", "late_seconds", "attempt", "feedback")
NUMBERS = ("score", "maximum", "late_seconds", "attempt")
LONGEST = 32_767  # signs in a cell of Excel's
SHEET = "grades"


def write(items: Sequence[Item]) -> bytes:
    """The grades as CSV."""
    rows = [[*IDS, *GRADES], *([*map(str, row)] for row in _rows(items, is_safe=True))]
    return csv_bytes(rows, line_end="\r\n", mark=True)


def write_excel(items: Sequence[Item]) -> bytes:
    """The grades as a workbook of one sheet."""
    table = pd.DataFrame(_rows(items, is_safe=False), columns=[*IDS, *GRADES], dtype=object)
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="openpyxl") as writer:
        table.to_excel(writer, sheet_name=SHEET, index=False)
        for row in writer.sheets[SHEET].iter_rows(min_row=2):
            for cell in row:
                _make_text(cell)
    return out.getvalue()


def _rows(items: Sequence[Item], *, is_safe: bool) -> list[list[str | float]]:
    """``is_safe``: text is made inert, for a file whose cells have no types."""
    words = inert if is_safe else _cut
    found: list[list[str | float]] = []
    for item in items:
        for entry in item.entries:
            grade = entry.grade
            ids = [getattr(entry.student, key) for key in IDS[:-1]]
            score = "" if entry.score == EXCUSED_MARK else float(entry.score)
            about = [grade.course, grade.item, words(item.column), grade.state.value]
            numbers = [_plain(score), _plain(item.maximum), _plain(grade.late_seconds), grade.version or ""]
            found.append([*ids, words(entry.student.full_name), *about, *numbers, words(entry.feedback)])
    return found


def _plain(number: float | str) -> float | str:
    """A whole number without ".0"."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _cut(text: str) -> str:
    return CONTROL.sub("", text)[:LONGEST]


def _make_text(cell: Cell) -> None:
    """What is text stays text: openpyxl takes what begins with "=" for a formula."""
    if isinstance(cell.value, str):
        cell.data_type = "s"
        cell.number_format = "@"
