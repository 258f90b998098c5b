"""Sakai: the CSV file of gradebookng, whose columns are known by their place and their headings.

A heading is "Title [points]", and "* Title" for its comments; one bad or double heading, or a student who
stands there twice, stops the import. An empty score changes nothing.
"""

from __future__ import annotations

from autograder.errors import AuthorError
from autograder.gradebook.lms.inert import inert, one_line
from autograder.gradebook.lms.plan import Item
from autograder.gradebook.lms.writing import csv_bytes, require_plain

DELIMITERS = (",", ";")
USER, NAME = "Student ID", "Name"
COLUMNS = ((USER, NAME),)


def write(item: Item) -> bytes:
    """The file of one assignment. Raises AuthorError for a title that is no heading."""
    title = require_plain(item.id, one_line(item.column), "[]")
    if not title or title[0] in "*#":
        raise AuthorError(f"{item.id}: for Sakai {title!r} begins like a comment; --column {item.id}=NAME")
    said = any(entry.feedback for entry in item.entries)
    header = [USER, NAME, f"{title} [{item.maximum_text}]", *([f"* {title}"] if said else [])]
    rows = [header]
    for entry in item.entries:
        name = one_line(entry.student.full_name or entry.student.name)
        rows.append([entry.student.login, name, entry.score, *([inert(entry.feedback)] if said else [])])
    return csv_bytes(rows)
