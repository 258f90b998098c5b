"""Canvas: the CSV file that its gradebook exports and imports.

What its importer does decides what is written. It takes a row by Canvas id, SIS id, log-in and at last by
name, so a fresh file has an id in each row and no name that could be somebody else's. It takes a column by
the number in brackets that ends its title. A column whose title has "Final Score" or the like in it
is dropped without a word. An empty cell deletes a grade: a fresh file is of one assignment and has
graded students only. Whatever has only digits and separators is made a number, ids too.
"""

from __future__ import annotations

import re
from dataclasses import replace

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import StudentKeys
from autograder.gradebook.lms.filling import GradeColumn, KeyColumn, Layout
from autograder.gradebook.lms.inert import one_line
from autograder.gradebook.lms.plan import Item
from autograder.gradebook.lms.scores import read_score
from autograder.gradebook.lms.sheet import Sheet
from autograder.gradebook.lms.writing import csv_bytes

DELIMITERS = (",", ";")
COLUMNS = (("Student", "ID", "Section"), ("LastName", "ID", "Section"))
KEYS = {"ID": "lms_id", "SIS User ID": "sis_id", "SIS Login ID": "login"}
WITH_ID = re.compile(r"(.*)\s\((\d+)\)", re.DOTALL)
CALCULATED = re.compile(r"(?:Current|Final|Override) (?:Score|Points|Grade)")
READ_ONLY = re.compile(r"read\s+only")
POINTS = "Points Possible"
NUMBER_LIKE = re.compile(r"[\d.,%]*[.,%][\d.,%]*")
UNASSIGNED = "N/A"
POSTING = ("Manual Posting", "Muted")


def usable(student: StudentKeys) -> bool:
    """Whether Canvas can know the student by an id that it doesn't change."""
    return any(_id(student, key) for key in KEYS.values())


def write(item: Item) -> bytes:
    """The file of one assignment. Raises AuthorError for a title that Canvas would take for another."""
    item = replace(item, column=" ".join(item.column.split()))
    has_id = require_title(item)
    header = ["Student", *KEYS, "Section", item.column]
    maximum = "" if has_id else item.maximum_text
    rows = [header, [f"    {POINTS}", *[""] * (len(header) - 2), maximum]]
    rows += [
        [_shown(entry.student), *[_id(entry.student, key) for key in KEYS.values()], "", entry.score]
        for entry in item.entries
    ]
    return csv_bytes(rows)


def require_title(item: Item) -> bool:
    """Whether the column names an assignment by its number in Canvas. Raises AuthorError."""
    found = WITH_ID.fullmatch(item.column)
    title = found[1] if found else item.column
    if CALCULATED.search(item.column):
        raise AuthorError(
            f"{item.id}: Canvas drops a column called {title!r} without a word, since it calculates such "
            "ones itself; rename the assignment there"
        )
    if found and not item.is_named:
        raise AuthorError(
            f"{item.id}: Canvas would read {item.column!r} as its assignment number {found[2]}; fill in the "
            f"file that you download there, or name the column with --column '{item.id}=TITLE (NUMBER)'"
        )
    return found is not None


def layout(sheet: Sheet) -> Layout:
    """Where things are in a file that Canvas exported. Raises AuthorError."""
    header = sheet.header
    sections = [index for index, name in enumerate(header) if "Section" in name]
    info = next((index for index in sections if index <= len(KEYS) + 5), 0)
    keys = tuple(KeyColumn(header.index(name), key) for name, key in KEYS.items() if name in header[:info])
    filled = [row for row in range(1, len(sheet.rows)) if not sheet.rows[row].is_blank]
    special = [row for row in filled[:3] if is_special(sheet, row)]
    points = next((row for row in special if _first(sheet, row) == POINTS), None)
    columns = []
    for index in range(info + 1, len(header)):
        found = WITH_ID.fullmatch(header[index])
        read_only = any(READ_ONLY.search(sheet.rows[row].cells[index].value) for row in special)
        if found and not read_only and not CALCULATED.search(header[index]):
            maximum = _maximum(sheet, points, index)
            columns.append(GradeColumn(index, header[index], found[1], maximum))
    rows = tuple(row for row in filled if row not in special)
    return Layout(keys, tuple(columns), rows, unassigned=UNASSIGNED, excuses=True)


def is_special(sheet: Sheet, row: int) -> bool:
    """Whether this is no student's row: it is blank, or says how columns are posted or their points."""
    cells = [value.strip() for value in sheet.rows[row].values]
    filled = [value for value in cells if value]
    return not filled or cells[0] == POINTS or all(value.startswith(POSTING) for value in filled)


def _first(sheet: Sheet, row: int) -> str:
    return sheet.rows[row].cells[0].value.strip()


def _maximum(sheet: Sheet, points: int | None, index: int) -> float | None:
    value = read_score(sheet.rows[points].cells[index].value) if points is not None else None
    return None if value is None else float(value)


def _id(student: StudentKeys, key: str) -> str:
    """The id; none where Canvas would read it as a number and change it."""
    value: str = getattr(student, key)
    return "" if NUMBER_LIKE.fullmatch(value) else value


def _shown(student: StudentKeys) -> str:
    """For people: with the hub name, for Canvas must not find somebody else by the name alone."""
    name = one_line(student.full_name)
    return f"{name} [{student.name}]" if name else one_line(student.name)
