"""D2L Brightspace: the CSV file that its grades are exported to and imported from.

A student is an OrgDefinedId or a user name, each after a "#" by which Excel keeps its zeros; a column is
called "<item> Points Grade"; the last column says that the line is complete. It takes no feedback.
"""

from __future__ import annotations

import re

from autograder.gradebook.lms.filling import GradeColumn, KeyColumn, Layout
from autograder.gradebook.lms.inert import one_line
from autograder.gradebook.lms.plan import Item
from autograder.gradebook.lms.scores import read_score
from autograder.gradebook.lms.sheet import Sheet
from autograder.gradebook.lms.writing import complete_keys, csv_bytes, require_plain

DELIMITERS = (",", "\t", ";")
KEYS = {"OrgDefinedId": "sis_id", "Username": "login"}
COLUMNS = (
    ("OrgDefinedId", "End-of-Line Indicator"),
    ("Username", "End-of-Line Indicator"),
    ("OrgDefinedId",),
)
MARK, END = "#", "End-of-Line Indicator"
POINTS_GRADE = re.compile(r"(?P<title>.*\S)\s+Points Grade(?:\s*<(?P<about>[^<>]*)>)?", re.DOTALL)
MAX_POINTS = re.compile(r"MaxPoints:([\d.,]+)")


def write(item: Item) -> bytes:
    """The file of one assignment. Raises AuthorError for a title that its header can't hold."""
    column = one_line(item.column)
    if not (item.is_named and POINTS_GRADE.fullmatch(column)):
        column = f"{require_plain(item.id, column, '<>')} Points Grade"
    names = {key: name for name, key in KEYS.items()}
    keys = complete_keys(item.entries, [*names])
    rows = [[*(names[key] for key in keys), column, END]]
    rows += [
        [*(f"{MARK}{getattr(entry.student, key)}" for key in keys), entry.score, MARK]
        for entry in item.entries
    ]
    return csv_bytes(rows, line_end="\r\n")


def layout(sheet: Sheet) -> Layout:
    """Where things are in a file that Brightspace exported. Raises AuthorError for a line that was cut."""
    header = sheet.header
    keys = tuple(KeyColumn(header.index(name), key, MARK) for name, key in KEYS.items() if name in header)
    columns = []
    for index, name in enumerate(header):
        if found := POINTS_GRADE.fullmatch(name):
            columns.append(GradeColumn(index, name, found["title"], _maximum(found["about"])))
    rows = tuple(row for row in range(1, len(sheet.rows)) if not sheet.rows[row].is_blank)
    if END in header:
        _require_ends(sheet, rows, header.index(END))
    return Layout(keys, tuple(columns), rows)


def _require_ends(sheet: Sheet, rows: tuple[int, ...], column: int) -> None:
    for row in rows:
        if sheet.rows[row].cells[column].value.strip() != MARK:
            raise sheet.error(row, f"no {MARK!r} at its end; the file was cut off, export it again", column)


def _maximum(about: str | None) -> float | None:
    found = MAX_POINTS.search(about or "")
    value = read_score(found[1]) if found else None
    return float(value) if value else None
