"""A delimited text file in which single cells are changed and every other byte stays.

Theory of operation: the bytes are decoded by a codec that gives the same bytes back, and each cell is
found with its span in the text. A change replaces a cell's span; what lies between changes is copied, so
that encoding, byte order mark, delimiter, quoting, line ends and the order of columns need not be known
to be kept. The result is read again, and must be the same table but for the changes.

Contract: strict. A file that isn't text in its encoding, a quote that doesn't end, or text beside a
quoted cell is an AuthorError with file and line. Trusts nothing in the file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from autograder.errors import AuthorError, PlatformError

MOST_BYTES = 64 << 20
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", ":": "colon"}
Change = Mapping[tuple[int, int], str]


class Encoding(StrEnum):
    """What staff may say of a file that has no byte order mark."""

    UTF_8 = "utf-8"
    WINDOWS_1252 = "windows-1252"


MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
CODECS = {Encoding.UTF_8: "utf-8", Encoding.WINDOWS_1252: "cp1252"}


@dataclass(frozen=True)
class Dialect:
    """``escape``: a sign after which a quote inside quotes ends nothing, as PHP has it; "" for none."""

    delimiter: str
    escape: str = ""

    @property
    def cell(self) -> re.Pattern[str]:
        """A cell from its first sign on. Possessive: an open quote can't make it try again and again."""
        within = rf'[^"{re.escape(self.escape)}]++|""'
        within += rf"|{re.escape(self.escape)}." if self.escape else ""
        plain = rf'[^"\r\n{re.escape(self.delimiter)}]*+'
        return re.compile(rf'"((?:{within})*+)"|({plain})', re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """``start`` and ``end`` of what stands in the text, quotes included; ``value`` without them."""

    start: int
    end: int
    value: str
    quoted: bool


@dataclass(frozen=True)
class Row:
    """``line``: where it begins, counted from 1."""

    line: int
    cells: tuple[Cell, ...]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(cell.value for cell in self.cells)

    @property
    def is_blank(self) -> bool:
        return not any(cell.value.strip() for cell in self.cells)


@dataclass(frozen=True)
class Text:
    """A file's text. ``name``: how messages call the file; ``mark``: its byte order mark; ``headings``: of
    its columns, in another language, and what they are called here."""

    name: str
    text: str
    codec: str
    mark: bytes = b""
    headings: Mapping[str, str] = field(default_factory=dict)

    def called(self, values: Sequence[str]) -> tuple[str, ...]:
        """Headings as they are called here."""
        return tuple(self.headings.get(value.strip(), value.strip()) for value in values)

    def bytes(self) -> bytes:
        """The file. Raises AuthorError for a sign that its encoding doesn't have."""
        try:
            return self.mark + self.text.encode(self.codec)
        except UnicodeEncodeError as error:
            sign = self.text[error.start]
            raise AuthorError(
                f"{self.name} is {self.codec}, which has no {sign!r}; export without feedback, or download "
                "the file in UTF-8"
            ) from error


@dataclass(frozen=True)
class Sheet:
    """A file as rows of cells; all rows but blank ones are as wide as the first. ``numbers``: cells of a
    workbook that are no text."""

    source: Text
    dialect: Dialect
    rows: tuple[Row, ...]
    numbers: frozenset[tuple[int, int]] = frozenset()

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def header(self) -> tuple[str, ...]:
        return self.source.called(self.rows[0].values)

    def error(self, row: int, words: str, column: int | None = None) -> AuthorError:
        """An error that names file, line and column."""
        where = f"{self.name}:{self.rows[row].line}: "
        if column is not None:
            where += f"column {self.header[column]!r}: "
        return AuthorError(where + words)

    def changed(self, changes: Change) -> bytes:
        """The file with these cells in the place of its own. Raises AuthorError."""
        parts, at = [], 0
        for row, column in sorted(changes):
            cell = self.rows[row].cells[column]
            parts += [self.source.text[at : cell.start], self._written(cell, changes[row, column])]
            at = cell.end
        parts.append(self.source.text[at:])
        after = replace(self.source, text="".join(parts))
        data = after.bytes()
        self._require(after, changes)
        return data

    def _written(self, cell: Cell, value: str) -> str:
        special = value != value.strip() or any(sign in value for sign in f'"\r\n{self.dialect.delimiter}')
        if cell.quoted or special:
            return '"' + value.replace('"', '""') + '"'
        return value

    def _require(self, after: Text, changes: Change) -> None:
        """Raises PlatformError unless the changed text is this table with the changes, and no other."""
        again = read_rows(after, self.dialect)
        wanted = [list(row.values) for row in self.rows]
        for (row, column), value in changes.items():
            wanted[row][column] = value
        if [list(row.values) for row in again] != wanted:
            raise PlatformError(f"{self.name} can't be filled in: its cells would shift; nothing was written")


def read_bytes(file: Path) -> bytes:
    """The file, of a size that is still read. Raises AuthorError."""
    try:
        with file.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except OSError as error:
        raise AuthorError(f"{file}: {error.strerror}; name the file that you downloaded") from error
    if len(data) > MOST_BYTES:
        raise AuthorError(f"{file} is larger than {MOST_BYTES >> 20} MiB; is it the right file?")
    return data


def read_text(name: str, data: bytes, encoding: Encoding = Encoding.UTF_8) -> Text:
    """The text of a file: its byte order mark decides, else ``encoding``. Raises AuthorError."""
    mark, codec = next(
        ((mark, codec) for mark, codec in MARKS if data.startswith(mark)), (b"", CODECS[encoding])
    )
    body = data[len(mark) :]
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        other = "; if it is Windows-1252, say --encoding windows-1252" if codec == "utf-8" else ""
        raise AuthorError(f"{name}:{line}: not {codec}: {error.reason}{other}") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise AuthorError(f"{name}:{line}: a NUL: no text, or UTF-16 without its mark; save it as UTF-8")
    return Text(name, text, codec, mark)


def read_sheet(
    source: Text, delimiters: Sequence[str], wanted: Sequence[Sequence[str]], *, escape: str = ""
) -> Sheet | None:
    """The table, by the delimiter under which its first row holds all columns of one of ``wanted``; None
    where there is none. Raises AuthorError for a row of another width: the file was cut off or edited."""
    for delimiter in delimiters:
        dialect = Dialect(delimiter, escape)
        header = {*source.called(first_row(source, dialect))}
        if any(set(names) <= header for names in wanted):
            sheet = Sheet(source, dialect, read_rows(source, dialect))
            _require_width(sheet)
            return sheet
    return None


def first_row(source: Text, dialect: Dialect) -> tuple[str, ...]:
    """The cells of the first row, as far as they can be read."""
    try:
        return _Reader(source, dialect).row().values
    except AuthorError:
        return ()


def read_rows(source: Text, dialect: Dialect) -> tuple[Row, ...]:
    """All rows. Raises AuthorError."""
    reader = _Reader(source, dialect)
    rows: list[Row] = []
    while reader.at < len(source.text) or not rows:
        rows.append(reader.row())
    return tuple(rows)


class _Reader:
    """Reads one row after the other."""

    def __init__(self, source: Text, dialect: Dialect) -> None:
        self.source = source
        self.text = source.text
        self.dialect = dialect
        self.pattern = dialect.cell
        self.at = 0
        self.line = 1

    def row(self) -> Row:
        """The row that begins here; afterwards the next one begins here."""
        first, cells = self.line, []
        while True:
            cells.append(self._cell())
            sign = self.text[self.at : self.at + 1]
            if sign != self.dialect.delimiter:
                break
            self.at += 1
        if sign:
            self.at += 2 if self.text.startswith("\r\n", self.at) else 1
            self.line += 1
        return Row(first, tuple(cells))

    def _cell(self) -> Cell:
        found = self.pattern.match(self.text, self.at)
        quoted = self.text.startswith('"', self.at)
        if found is None or (quoted and found.group(1) is None):
            raise AuthorError(
                f"{self.source.name}:{self.line}: a quote begins and never ends; download the file again"
            )
        self.at = found.end()
        after = self.text[self.at : self.at + 1]
        self.line += _line_ends(found.group())
        if after not in ("", "\r", "\n", self.dialect.delimiter):
            raise AuthorError(
                f"{self.source.name}:{self.line}: {after!r} beside a quoted cell; download the file again"
            )
        value = found.group(1).replace('""', '"') if quoted else found.group(2)
        return Cell(found.start(), found.end(), value, quoted)


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _require_width(sheet: Sheet) -> None:
    """All rows are as wide as the first, and each column has a name of its own, or none."""
    width = len(sheet.rows[0].cells)
    for number, row in enumerate(sheet.rows):
        if len(row.cells) != width and not row.is_blank:
            raise sheet.error(
                number,
                f"{len(row.cells)} cells where the first row has {width}; the file was cut off or edited, "
                "download it again",
            )
