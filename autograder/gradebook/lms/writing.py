"""Delimited text as fresh files have it, and which ids a fresh file names its students by.

Contract: pure. Cells are given as they shall be read: whoever calls has made names and feedback inert.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Sequence

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import StudentKeys
from autograder.gradebook.lms.plan import Entry

Rows = Iterable[Sequence[str]]


def csv_bytes(
    rows: Rows, *, delimiter: str = ",", line_end: str = "\n", mark: bool = False, quote_all: bool = False
) -> bytes:
    """The rows as UTF-8; ``mark``: with a byte order mark, by which Excel knows it."""
    return (codecs.BOM_UTF8 if mark else b"") + csv_text(rows, delimiter, line_end, quote_all).encode()


def csv_text(rows: Rows, delimiter: str, line_end: str, quote_all: bool) -> str:
    """The rows as text; a quote in a cell is doubled."""
    out = io.StringIO(newline="")
    if quote_all:
        csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(out, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return out.getvalue()


def key_of_most(students: Sequence[StudentKeys], keys: Sequence[str]) -> str:
    """The id that most students have, the first of them where several do: a file may name its students
    by one kind of id, and an empty one spoils all of it."""
    return max(keys, key=lambda key: (sum(1 for each in students if getattr(each, key)), -keys.index(key)))


def complete_keys(entries: Sequence[Entry], keys: Sequence[str]) -> list[str]:
    """The ids that all of these students have."""
    return [key for key in keys if all(getattr(entry.student, key) for entry in entries)]


def require_plain(item: str, title: str, signs: str) -> str:
    """The title. Raises AuthorError for one with a sign that the format gives another meaning."""
    for sign in signs:
        if sign in title:
            raise AuthorError(
                f"{item}: the title {title!r} has a {sign!r}, which would be read as something else; "
                f"name its column with --column {item}=NAME"
            )
    return title
