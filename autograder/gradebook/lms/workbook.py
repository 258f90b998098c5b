"""The first sheet of an Excel workbook as rows of text, for rosters that come as one.

Contract: a workbook is hostile: its size, its rows and its columns are capped before they are read, and its
XML may declare no entities (defusedxml). A number in a cell is noted as one: the zeros before it are lost.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

from autograder.errors import AuthorError
from autograder.gradebook.lms.sheet import MOST_BYTES, Cell, Dialect, Row, Sheet, Text

MARK = "[Content_Types].xml"
MOST_ROWS, MOST_COLUMNS = 20_000, 200
BROKEN = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError, RuntimeError,
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, ParseError,
)  # fmt: skip


def is_workbook(data: bytes) -> bool:
    """Whether a zip is a workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return MARK in archive.namelist()
    except BROKEN:
        return False


def read_workbook(name: str, data: bytes) -> Sheet:
    """Its first sheet, rows of one width. Raises AuthorError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(about.file_size for about in archive.infolist()) > MOST_BYTES:
                raise AuthorError(f"{name}: a workbook of more than {MOST_BYTES >> 20} MiB; save it as CSV")
        rows = list(_rows(name, data))
    except BROKEN as error:
        raise AuthorError(f"{name}: no workbook that can be read: {error}; save it as CSV") from error
    width = max((len(row) for row in rows), default=0)
    numbers = {
        (row, column)
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
        if not isinstance(value, str | None)
    }
    found = tuple(
        Row(line, tuple(_cell(value) for value in [*values, *[None] * (width - len(values))]))
        for line, values in enumerate(rows, 1)
    )
    return Sheet(Text(name, "", "utf-8"), Dialect(","), found, frozenset(numbers))


def _rows(name: str, data: bytes) -> Iterator[tuple[object, ...]]:
    import openpyxl  # here: it would slow every command down by its start

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            if number > MOST_ROWS or len(values) > MOST_COLUMNS:
                most = f"{MOST_ROWS} rows or {MOST_COLUMNS} columns"
                raise AuthorError(f"{name}:{number}: more than {most}; save what is needed as CSV")
            yield values
    finally:
        book.close()


def _cell(value: object) -> Cell:
    return Cell(0, 0, "" if value is None else str(value), quoted=False)
