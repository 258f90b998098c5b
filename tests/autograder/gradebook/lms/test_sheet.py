"""Cells change and every other byte stays, whatever the encoding, the quoting and the line ends."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import AuthorError
from autograder.gradebook.lms.sheet import Encoding, Sheet, read_sheet, read_text
from tests.autograder.gradebook.lms.importers import fgetcsv

ENCODINGS = {
    "utf-8": (b"", "utf-8"),
    "utf-8 with a mark": (b"\xef\xbb\xbf", "utf-8"),
    "utf-16-le": (b"\xff\xfe", "utf-16-le"),
    "utf-16-be": (b"\xfe\xff", "utf-16-be"),
    "windows-1252": (b"", "cp1252"),
}

NARROW, WIDE = "ab0=-,;:\t \"'\\\n\r#é€\x1f", "漢😀\u202e\u2028ß"


@dataclass(frozen=True)
class Written:
    """A file in pieces: between cells, and cells; ``values`` is what it says."""

    mark: bytes
    codec: str
    delimiter: str
    values: list[list[str]]
    cells: list[list[str]]
    ends: list[str]

    def bytes(self, changed: dict[tuple[int, int], str] | None = None) -> bytes:
        changed = changed or {}
        parts = []
        for row, cells in enumerate(self.cells):
            texts = [changed.get((row, column), cell) for column, cell in enumerate(cells)]
            parts.append(self.delimiter.join(texts) + self.ends[row])
        return self.mark + "".join(parts).encode(self.codec)

    def sheet(self) -> Sheet:
        encoding = Encoding.WINDOWS_1252 if self.codec == "cp1252" else Encoding.UTF_8
        found = read_sheet(
            read_text("grades.csv", self.bytes(), encoding), (self.delimiter,), [self.values[0]]
        )
        assert found is not None
        return found


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


@st.composite
def files(draw: st.DrawFn) -> Written:
    mark, codec = draw(st.sampled_from(list(ENCODINGS.values())))
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    signs = NARROW if codec == "cp1252" else NARROW + WIDE
    width, height = draw(st.integers(2, 5)), draw(st.integers(2, 6))
    inner = st.text(signs, max_size=8) | st.sampled_from(
        ["", "007", '"', "a\nb", "x,y;z\t!", '=1+1"', "é", "-"]
    )
    values = [[f"h{n}" for n in range(width)]]
    values += draw(
        st.lists(st.lists(inner, min_size=width, max_size=width), min_size=height, max_size=height)
    )
    cells = []
    for row in values:
        special = [any(sign in value for sign in f'"\r\n{delimiter}') for value in row]
        cells.append(
            [quoted(v) if s or draw(st.booleans()) else v for v, s in zip(row, special, strict=True)]
        )
    ends = draw(st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=len(values), max_size=len(values)))
    after = [*values[1:], []]
    # "\r" of one row and "\n" of the next would be one line end.
    ends = [
        "\r\n" if end == "\r" and row and row[0].startswith("\n") else end
        for end, row in zip(ends, after, strict=True)
    ]
    return Written(mark, codec, delimiter, values, cells, [*ends[:-1], draw(st.sampled_from(["", ends[-1]]))])


@given(files())
def test_what_is_read_is_what_was_written(file: Written) -> None:
    assert [list(row.values) for row in file.sheet().rows] == file.values


@given(files(), st.data())
def test_only_changed_cells_are_other_bytes(file: Written, data: st.DataObject) -> None:
    sheet = file.sheet()
    places = [(row, column) for row in range(1, len(file.values)) for column in range(len(file.values[0]))]
    new = st.sampled_from(["8.5", "0", "EX", "100", 'words, "quoted"', "two\nlines", ""])
    changes = {place: data.draw(new) for place in data.draw(st.lists(st.sampled_from(places), unique=True))}
    written = {}
    for (row, column), value in changes.items():
        bare = not file.cells[row][column].startswith('"') and not any(
            s in value for s in f'"\n{file.delimiter}'
        )
        written[row, column] = value if bare else quoted(value)
    assert sheet.changed(changes) == file.bytes(written)


@given(files())
def test_no_change_is_the_same_file(file: Written) -> None:
    assert file.sheet().changed({}) == file.bytes()


@given(files())
def test_pythons_reader_agrees_where_line_ends_are_of_one_kind(file: Written) -> None:
    text = file.bytes().removeprefix(file.mark).decode(file.codec)
    if "\r" in text.replace("\r\n", ""):
        return
    assert (
        list(csv.reader(io.StringIO(text, newline=""), delimiter=file.delimiter, strict=True)) == file.values
    )


@given(st.lists(st.lists(st.text('ab\\" ,\n', max_size=6), min_size=2, max_size=2), min_size=1, max_size=4))
def test_with_an_escape_it_reads_as_php_does(values: list[list[str]]) -> None:
    """A file as PHP's fputcsv writes it: quotes are doubled, but for those after a backslash."""
    rows = [["Identifier", "Grade"], *values]
    text = "".join(",".join(map(php_cell, row)) + "\n" for row in rows)
    there = [row for row in fgetcsv(text) if row]
    try:
        sheet = read_sheet(read_text("x.csv", text.encode()), (",",), [["Identifier"]], escape="\\")
    except AuthorError:
        assert there != rows or any("\\" in value for row in rows for value in row)
        return
    assert sheet is not None
    if all(len(row.cells) == 2 for row in sheet.rows):
        assert [list(row.values) for row in sheet.rows] == there


def php_cell(value: str) -> str:
    out, escaped = [], False
    for sign in value:
        out.append('""' if sign == '"' and not escaped else sign)
        escaped = sign == "\\"
    return '"' + "".join(out) + '"'


def read(data: bytes, encoding: Encoding = Encoding.UTF_8) -> Sheet:
    found = read_sheet(read_text("g.csv", data, encoding), (",",), [["a"]])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a,b\n1,2\n3\n", "g.csv:3: 1 cells where the first row has 2; the file was cut off"),
        (b'a,b\n1,"2\n3,4\n', "g.csv:2: a quote begins and never ends"),
        (b'a,b\n"x\ny",2\n"1"2,3\n', "g.csv:4: '2' beside a quoted cell"),
        (b'a,b\n1,2"3\n', "g.csv:2: '\"' beside a quoted cell"),
        (b"a,b\n1,caf\xe9\n", "g.csv:2: not utf-8.*--encoding windows-1252"),
        ("a,b\n1,2\n".encode("utf-16-le"), "g.csv:1: a NUL: no text, or UTF-16"),
        (b"\xff\xfea\0,\0b", "g.csv:1: not utf-16-le"),
        (b"a,b\n1,2,3\n", "g.csv:2: 3 cells"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(AuthorError, match=words):
        read(data)


def test_bytes_that_windows_1252_lacks_are_refused() -> None:
    with pytest.raises(AuthorError, match=r"g.csv:2: not cp1252"):
        read(b"a,b\n1,\x81\n", Encoding.WINDOWS_1252)


def test_a_sign_that_the_encoding_lacks_is_refused() -> None:
    with pytest.raises(AuthorError, match="cp1252, which has no '漢'"):
        read(b"a,b\n1,\xe9\n", Encoding.WINDOWS_1252).changed({(1, 1): "漢"})


def test_a_megabyte_of_open_quotes_is_refused_at_once() -> None:
    with pytest.raises(AuthorError, match="never ends"):
        read(b'a,b\n1,"' + b'""' * 500_000 + b"x")
