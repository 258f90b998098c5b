"""Who is who: reads the people of an LMS from a file, and matches them with those on the hub by ids.

Contract: pure. Ids are text; a name of a person is kept to be read and never matched. Somebody who would
be two people on the hub, or two who would be one, is an AuthorError with file and line, for a wrong match
gives a grade to the wrong person.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import StudentKeys
from autograder.gradebook.lms import blackboard, brightspace, canvas, moodle, sakai, table
from autograder.gradebook.lms.formats import Format
from autograder.gradebook.lms.plan import Stranger, folded, require_one_each, words_of
from autograder.gradebook.lms.sheet import (
    MOST_BYTES,
    Dialect,
    Encoding,
    Sheet,
    Text,
    first_row,
    read_sheet,
    read_text,
)
from autograder.gradebook.lms.workbook import BROKEN, is_workbook, read_workbook

IDS = ("sis_id", "login", "email", "lms_id")
ID = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
ZIP_START = b"PK\x03\x04"
SHOWN = 8


@dataclass(frozen=True)
class Person:
    """A row of the file. ``keys.name`` is the hub name, where the file says it."""

    line: int
    keys: StudentKeys


@dataclass(frozen=True)
class Match:
    """Somebody on the hub, as known before and after."""

    before: StudentKeys
    after: StudentKeys

    @property
    def is_change(self) -> bool:
        return self.before != self.after

    @property
    def overwritten(self) -> tuple[str, ...]:
        """Which ids would be others than before."""
        return tuple(
            key for key in IDS if (old := getattr(self.before, key)) and old != getattr(self.after, key)
        )


@dataclass(frozen=True)
class RosterPlan:
    """``strangers``: people of the file whom nobody here is; ``absent``: hub names that the file lacks."""

    matches: tuple[Match, ...]
    strangers: tuple[Stranger, ...]
    absent: tuple[str, ...]

    @property
    def changed(self) -> tuple[StudentKeys, ...]:
        return tuple(match.after for match in self.matches if match.is_change)


@dataclass(frozen=True)
class Source:
    """How a format's file is read for people. ``columns``: heading -> which key; ``prefix``: before ids;
    ``names``: headings of the name, to be joined."""

    delimiters: tuple[str, ...]
    wanted: tuple[tuple[str, ...], ...]
    columns: Mapping[str, str]
    names: tuple[str, ...] = ()
    prefix: str = ""
    escape: str = ""
    skip: Callable[[Sheet, int], bool] = lambda sheet, row: False


PLAIN = {table.NAME: "name", **{key: key for key in (*IDS, "full_name")}}
SOURCES = {
    Format.CANVAS: Source(
        canvas.DELIMITERS, canvas.COLUMNS, canvas.KEYS, ("Student", "LastName", "FirstName"),
        skip=canvas.is_special,
    ),
    Format.BRIGHTSPACE: Source(
        brightspace.DELIMITERS, brightspace.COLUMNS, {**brightspace.KEYS, "Email": "email"},
        ("Last Name", "First Name"), brightspace.MARK,
    ),
    Format.BLACKBOARD: Source(
        blackboard.DELIMITERS, blackboard.COLUMNS,
        {blackboard.USER: "login", blackboard.STUDENT_ID: "sis_id"},
        ("Last Name", "Last name", "First Name", "First name"),
    ),
    Format.SAKAI: Source(sakai.DELIMITERS, sakai.COLUMNS, {sakai.USER: "login"}, (sakai.NAME,)),
    Format.MOODLE: Source(
        moodle.DELIMITERS, moodle.GRADEBOOK, {**moodle.KEYS, "User ID": "lms_id"},
        ("Last name", "First name", "Full name"), escape=moodle.ESCAPE,
    ),
    Format.ONEROSTER: Source(
        (",",), (("sourcedId", "username"),),
        {"sourcedId": "sis_id", "username": "login", "email": "email"}, ("familyName", "givenName"),
    ),
    Format.CSV: Source(table.DELIMITERS, table.COLUMNS, PLAIN),
}  # fmt: skip


def read_people(
    name: str,
    data: bytes,
    form: Format | None = None,
    encoding: Encoding = Encoding.UTF_8,
    headings: Mapping[str, str] | None = None,
) -> tuple[Format, tuple[Person, ...]]:
    """The people of a file and the format that it has, which ``form`` may say. ``headings``: see
    ``sheet.Text``. Raises AuthorError."""
    book = None
    if data.startswith(ZIP_START):
        book = read_workbook(name, data) if is_workbook(data) else None
        name, data = (name, b"") if book else unpacked(name, data)
    source = replace(read_text(name, data, encoding), headings=headings or {})
    form = Format.CSV if form is Format.EXCEL else form
    for each in [form] if form else [*SOURCES]:
        if each not in SOURCES:
            raise AuthorError(f"{each} says nothing of people; read them from {', '.join(SOURCES)}")
        sheet = _in_book(book, source, SOURCES[each]) if book else _in_text(source, SOURCES[each])
        if sheet is not None:
            return each, tuple(_people(sheet, SOURCES[each]))
    first = book.header if book and book.rows else first_row(source, Dialect(","))
    raise AuthorError(
        f"{name}:1: no file of {form or 'any format known here'}; its first row has "
        f"{', '.join(map(repr, first[:SHOWN])) or 'nothing'}. A CSV file with the columns "
        f"{', '.join(PLAIN)} will do"
    )


def _in_text(source: Text, about: Source) -> Sheet | None:
    return read_sheet(source, about.delimiters, about.wanted, escape=about.escape)


def _in_book(book: Sheet, source: Text, about: Source) -> Sheet | None:
    """The workbook's sheet, where it has the columns of this format."""
    sheet = replace(book, source=source)
    header = set(sheet.header) if sheet.rows else set()
    return sheet if any(set(names) <= header for names in about.wanted) else None


def unpacked(name: str, data: bytes) -> tuple[str, bytes]:
    """``users.csv`` of a OneRoster zip. Raises AuthorError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("users.csv") as file:
            users = file.read(MOST_BYTES + 1)
    except BROKEN as error:
        raise AuthorError(f"{name}: a zip must be OneRoster's, with users.csv in it: {error}") from error
    if len(users) > MOST_BYTES:
        raise AuthorError(f"{name}: users.csv is larger than {MOST_BYTES >> 20} MiB")
    return f"{name}/users.csv", users


def match_people(file: str, people: Sequence[Person], known: Sequence[StudentKeys]) -> RosterPlan:
    """Who of the file is who on the hub. Raises AuthorError.

    A person is who has the hub name that the file says; else who is known by the same ids, or whose hub name
    is the log-in, the SIS id or the e-mail address.
    """
    index = _index(known)
    found: dict[str, tuple[int, Match]] = {}
    strangers = []
    for person in people:
        names = _names(person, index)
        if len(names) > 1:
            ways = " and ".join(f"{name} by the {words_of(key)}" for name, key in names.items())
            raise AuthorError(
                f"{file}:{person.line}: this is {ways}; correct the file, or say who with a "
                f"column {table.NAME!r}"
            )
        if not names:
            who = ", ".join(value for key in IDS if (value := getattr(person.keys, key)))
            strangers.append(Stranger(person.line, who or person.keys.name))
            continue
        name = next(iter(names))
        if name in found:
            raise AuthorError(f"{file}:{person.line}: {name} stands in line {found[name][0]} already")
        before = index["name", folded("name", name)]
        found[name] = person.line, Match(before, _merged(before, person.keys))
    after = {each.name: each for each in known} | {name: match.after for name, (_, match) in found.items()}
    require_one_each(after.values())
    absent = tuple(each.name for each in known if each.name not in found)
    return RosterPlan(tuple(match for _, match in found.values()), tuple(strangers), absent)


def _people(sheet: Sheet, about: Source) -> Iterator[Person]:
    """The people of a sheet; each id once."""
    header = sheet.header
    columns = {key: header.index(name) for name, key in about.columns.items() if name in header}
    named = [header.index(name) for name in about.names if name in header]
    seen: dict[tuple[str, str], int] = {}
    rows = [
        row for row in range(1, len(sheet.rows)) if not (sheet.rows[row].is_blank or about.skip(sheet, row))
    ]
    if not rows:
        raise AuthorError(f"{sheet.name} has no people in it")
    for row in rows:
        cells = sheet.rows[row].cells
        ids = {key: cells[at].value.strip().removeprefix(about.prefix) for key, at in columns.items()}
        for key, value in ids.items():
            if value and key != "full_name":
                _require_id(sheet, row, columns[key], key, value)
                before = seen.setdefault((key, folded(key, value)), row)
                if before != row:
                    line = sheet.rows[before].line
                    raise sheet.error(row, f"{value!r} stands in line {line} already", columns[key])
        full = ", ".join(value for at in named if (value := cells[at].value.strip()))
        yield Person(sheet.rows[row].line, StudentKeys(**{"name": "", "full_name": full, **ids}))


def _require_id(sheet: Sheet, row: int, column: int, key: str, value: str) -> None:
    """Raises AuthorError for what is no id."""
    if (row, column) in sheet.numbers:
        raise sheet.error(row, "a number, which has lost its zeros; make the column text there", column)
    if not ID.fullmatch(value):
        raise sheet.error(
            row, f"{value[:40]!r} is no {words_of(key)}: it has a line end, or 256 signs", column
        )


def _index(known: Sequence[StudentKeys]) -> dict[tuple[str, str], StudentKeys]:
    require_one_each(known)
    found: dict[tuple[str, str], StudentKeys] = {}
    for student in known:
        for key in ("name", *IDS):
            if value := getattr(student, key):
                found[key, folded(key, value)] = student
    return found


def _names(person: Person, index: Mapping[tuple[str, str], StudentKeys]) -> dict[str, str]:
    """Hub names that this may be, each with the key that says so."""
    if person.keys.name:
        student = index.get(("name", folded("name", person.keys.name)))
        return {student.name: "name"} if student else {}
    found: dict[str, str] = {}
    for key in IDS:
        value = getattr(person.keys, key)
        ways = [(key, folded(key, value))]
        if key != "lms_id":  # a number that the LMS made up is nobody's hub name
            ways.append(("name", folded("name", value)))
        for way in ways if value else ():
            if way in index:
                found.setdefault(index[way].name, key)
    return found


def _merged(before: StudentKeys, new: StudentKeys) -> StudentKeys:
    """What the file says goes before; where it says nothing, what was known stays."""
    given = {field.name: value for field in fields(new) if (value := getattr(new, field.name))}
    return replace(before, **{**given, "name": before.name})
