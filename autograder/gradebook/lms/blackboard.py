"""Blackboard Learn: the file that its gradebook's offline work downloads and uploads.

A student is a user name, a column the number at the end of its header. A column without a number would be
made anew, as text and of no points: a fresh file is only written where staff name the column as it is
there. Its ".xls" is text between tabs, in UTF-16.
"""

from __future__ import annotations

import codecs
import re

from autograder.errors import AuthorError
from autograder.gradebook.lms.filling import GradeColumn, KeyColumn, Layout
from autograder.gradebook.lms.inert import one_line
from autograder.gradebook.lms.plan import Item
from autograder.gradebook.lms.scores import read_score
from autograder.gradebook.lms.sheet import Sheet
from autograder.gradebook.lms.writing import csv_text

DELIMITERS = ("\t", ",")
USER, STUDENT_ID = "Username", "Student ID"
COLUMNS = ((USER, "Last Name"), (USER, "Last name", STUDENT_ID))  # Moodle has a "Last name" too
WITH_ID = re.compile(r"(?P<title>.*?)(?:\s*\[Total Pts:(?P<points>[^\]]*)\])?\s*\|\s*(?P<id>\d+)", re.DOTALL)
POINTS = re.compile(r"[\d.,]+")


def write(item: Item) -> bytes:
    """The file of one assignment. Raises AuthorError unless its column is named as Blackboard has it."""
    if not WITH_ID.fullmatch(item.column):
        raise AuthorError(
            f"{item.id}: without the number of its column Blackboard would make a new column of text; fill "
            f"in the file that you download there, or say --column '{item.id}=TITLE [Total Pts: …] |NUMBER'"
        )
    rows = [[USER, one_line(item.column)], *([entry.student.login, entry.score] for entry in item.entries)]
    return codecs.BOM_UTF16_LE + csv_text(rows, "\t", "\r\n", quote_all=True).encode("utf-16-le")


def layout(sheet: Sheet) -> Layout:
    """Where things are in a file that Blackboard gave."""
    header = sheet.header
    keys = [KeyColumn(header.index(USER), "login")]
    if STUDENT_ID in header:
        keys.append(KeyColumn(header.index(STUDENT_ID), "sis_id"))
    columns = []
    for index, name in enumerate(header):
        if found := WITH_ID.fullmatch(name):
            columns.append(GradeColumn(index, name, found["title"].strip(), _maximum(found["points"])))
    rows = tuple(row for row in range(1, len(sheet.rows)) if not sheet.rows[row].is_blank)
    return Layout(tuple(keys), tuple(columns), rows)


def _maximum(points: str | None) -> float | None:
    """The points of "10", or of "up to 10 Score"."""
    found = POINTS.search(points or "")
    value = read_score(found[0]) if found else None
    return float(value) if value else None
