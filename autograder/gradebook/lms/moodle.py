r"""Moodle: its gradebook's CSV and XML imports, and the worksheet of an assignment.

What its importers do decides what is written. One student that they don't know spoils a whole file, and so
does an empty id: a fresh file names all students by ids that all have. An empty grade or comment deletes
what was there: a fresh file is of one assignment and has graded students only. A quote after a backslash
ends nothing for PHP, so that a comment with code in it could break a file that is right by every standard:
a space goes between the two. Comments are HTML there: they are escaped. A worksheet's participants have
numbers that can't be worked out, so it is only ever filled in.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from xml.etree import ElementTree

from autograder.gradebook.lms.filling import GradeColumn, KeyColumn, Layout
from autograder.gradebook.lms.inert import CONTROL, inert, one_line
from autograder.gradebook.lms.plan import Item
from autograder.gradebook.lms.scores import read_score
from autograder.gradebook.lms.sheet import Sheet
from autograder.gradebook.lms.writing import complete_keys, csv_bytes

DELIMITERS = (",", "\t", ";", ":")
ESCAPE = "\\"
KEYS = {"ID number": "sis_id", "Username": "login", "Email address": "email"}
IDENTIFIER, GRADE, FEEDBACK = "Identifier", "Grade", "Feedback comments"
MAXIMA = ("Maximum Grade", "Maximum grade")
CHANGEABLE, NO = "Grade can be changed", ("no", "0")
WORKSHEET = ((IDENTIFIER, GRADE, "Last modified (grade)"),)
GRADEBOOK = (("Email address",), ("ID number",), ("Username",))
BEFORE_QUOTE = re.compile(r'\\(?="|\Z)')


def write(item: Item) -> bytes:
    """The CSV file of one assignment for the gradebook's import."""
    names = {key: name for name, key in KEYS.items()}
    keys = complete_keys(item.entries, [*names])
    said = any(entry.feedback for entry in item.entries)
    title = unescaped(one_line(item.column))
    header = [*(names[key] for key in keys), title, *([f"{title} feedback"] if said else [])]
    rows = [header]
    for entry in item.entries:
        ids = [getattr(entry.student, key) for key in keys]
        rows.append([*ids, entry.score, *([comment(entry.feedback)] if said else [])])
    return csv_bytes(rows, line_end="\r\n", mark=True)


def write_xml(items: Sequence[Item]) -> bytes:
    """The XML file of all assignments; each is known by the id number that its grade item has there: ours,
    unless staff say another."""
    root = ElementTree.Element("results")
    for item in items:
        for entry in item.entries:
            result = ElementTree.SubElement(root, "result")
            number = item.column if item.is_named else item.id
            parts = {"assignment": number, "student": entry.student.sis_id, "score": entry.score}
            if entry.feedback:
                parts["feedback"] = comment(entry.feedback)
            for name, text in parts.items():
                ElementTree.SubElement(result, name).text = CONTROL.sub("", text)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def comment(text: str) -> str:
    """A comment as Moodle keeps it: HTML whose line ends count, no formula, no backslash before a quote."""
    text = html.escape(inert(text), quote=False).replace("\r\n", "\n").replace("\r", "\n")
    return unescaped(text)


def editor_comment(text: str) -> str:
    """The same for a worksheet, whose comments come from an editor: line ends are written out."""
    return unescaped(comment(text).replace("\n", "<br>"))


def unescaped(text: str) -> str:
    """The text with a space after each backslash that would take a quote's meaning away."""
    return BEFORE_QUOTE.sub(r"\\ ", text)


def worksheet(sheet: Sheet) -> Layout:
    """Where things are in the worksheet of an assignment. Raises AuthorError."""
    header = sheet.header
    keys = tuple(KeyColumn(header.index(name), key) for name, key in KEYS.items() if name in header)
    if not keys:
        raise sheet.error(0, "no column 'Email address', 'ID number' or 'Username' to know students by")
    rows = tuple(row for row in range(1, len(sheet.rows)) if not sheet.rows[row].is_blank)
    most = next((header.index(name) for name in MAXIMA if name in header), None)
    feedback = header.index(FEEDBACK) if FEEDBACK in header else None
    maxima = {row: _maximum(sheet, row, most) for row in rows} if most is not None else {}
    column = GradeColumn(header.index(GRADE), GRADE, GRADE, None, feedback, maxima)
    locked = {}
    if CHANGEABLE in header:
        at, words = header.index(CHANGEABLE), "the worksheet says that the grade can't be changed"
        locked = {row: words for row in rows if sheet.rows[row].cells[at].value.strip().casefold() in NO}
    return Layout(keys, (column,), rows, locked, comment=editor_comment, is_single=True)


def _maximum(sheet: Sheet, row: int, column: int) -> float:
    value = read_score(sheet.rows[row].cells[column].value)
    if value is None:
        raise sheet.error(row, "the maximum is no number; download the worksheet again", column)
    return float(value)
