"""Fills grades into the file that a teacher downloaded from their LMS.

Contract: pure. Only cells of grades (and feedback) of matched students change; a cell that holds the
score already is left as it is. Rows are matched by ids, as text, and never by names; a row that is one
student by one id and another by another is an AuthorError, and so is a student in two rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import Grade, StudentKeys, items_of
from autograder.gradebook.lms.plan import (
    Line,
    Options,
    Outcome,
    Plan,
    Stranger,
    entry_of,
    folded,
    require_one_each,
    some,
    words_of,
)
from autograder.gradebook.lms.scores import is_score, read_score, score_text
from autograder.gradebook.lms.sheet import Sheet

EMPTY = ("", "-")


@dataclass(frozen=True)
class KeyColumn:
    """A column of ids. ``key``: which of StudentKeys'; ``prefix``: what stands before each id."""

    index: int
    key: str
    prefix: str = ""


@dataclass(frozen=True)
class GradeColumn:
    """``title``: of the assignment, as the header has it; ``maximum``: of all rows, None if not said."""

    index: int
    header: str
    title: str
    maximum: float | None = None
    feedback: int | None = None
    maxima: Mapping[int, float] = field(default_factory=dict)

    def most(self, row: int) -> float | None:
        return self.maxima.get(row, self.maximum)


@dataclass(frozen=True)
class Layout:
    """Where things are in a sheet. ``rows``: those of students; ``locked``: rows that the LMS would skip,
    and why; ``unassigned``: what a cell holds of whom the LMS takes no grade; ``comment``: makes feedback
    fit for the LMS; ``is_single``: the file is of one assignment; ``excuses``: a cell may hold EX."""

    keys: tuple[KeyColumn, ...]
    columns: tuple[GradeColumn, ...]
    rows: tuple[int, ...]
    locked: Mapping[int, str] = field(default_factory=dict)
    unassigned: str | None = None
    comment: Callable[[str], str] = str
    is_single: bool = False
    excuses: bool = False
    notes: tuple[str, ...] = ()


def fill(sheet: Sheet, layout: Layout, grades: Sequence[Grade], options: Options, name: str) -> Plan:
    """The plan for a downloaded file; its one file is called ``name``. Raises AuthorError."""
    if not layout.rows:
        raise AuthorError(f"{sheet.name} has no student; download it again")
    students = {grade.student.name: grade.student for grade in grades}
    require_one_each(students.values())
    row_of, strangers = match_rows(sheet, layout, students)
    items = items_of(grades)
    columns, notes = choose_columns(sheet, layout, items, options)
    changes: dict[tuple[int, int], str] = {}
    lines: list[Line] = []
    for item, column in columns.items():
        require_same_maximum(sheet, column, items[item][0], options)
        if options.with_feedback and column.feedback is None:
            raise AuthorError(f"{sheet.name} has no column for feedback; export without --with-feedback")
        for grade in items[item]:
            row = row_of.get(grade.student.name)
            lines.append(_fill_one(sheet, layout, column, row, grade, options, changes))
    return Plan(tuple(lines), {name: sheet.changed(changes)}, strangers, (*layout.notes, *notes))


def _fill_one(
    sheet: Sheet,
    layout: Layout,
    column: GradeColumn,
    row: int | None,
    grade: Grade,
    options: Options,
    changes: dict[tuple[int, int], str],
) -> Line:
    """Notes the cells that change; the line that says what becomes of the grade."""
    reason = "not in the file" if row is None else layout.locked.get(row, "")
    if row is None or reason:
        return Line(grade.item, grade.student.name, Outcome.UNMATCHED, note=reason)
    before = sheet.rows[row].cells[column.index].value.strip()
    if before == layout.unassigned:
        return Line(grade.item, grade.student.name, Outcome.UNMATCHED, note="it isn't assigned to them there")
    entry = entry_of(grade, options, maximum=column.most(row), excuses=layout.excuses)
    if isinstance(entry, Line):
        return replace(entry, before=before)
    found = []
    if not _holds(before, entry.score):
        changes[row, column.index] = entry.score
        found.append(Outcome.WRITE if before in EMPTY else Outcome.OVERWRITE)
    if entry.feedback and column.feedback is not None:
        said, words = sheet.rows[row].cells[column.feedback].value, layout.comment(entry.feedback)
        if said != words:
            changes[row, column.feedback] = words
            found.append(Outcome.OVERWRITE if said.strip() else Outcome.WRITE)
    outcome = max(found, key=(Outcome.WRITE, Outcome.OVERWRITE).index, default=Outcome.SAME)
    return Line(grade.item, grade.student.name, outcome, entry.score, before)


def match_rows(
    sheet: Sheet, layout: Layout, students: Mapping[str, StudentKeys]
) -> tuple[dict[str, int], tuple[Stranger, ...]]:
    """Hub name -> row, and the rows that nobody is. Raises AuthorError with file and line."""
    known = {
        (column.key, folded(column.key, value)): student
        for column in layout.keys
        for student in students.values()
        if (value := getattr(student, column.key))
    }
    found: dict[str, int] = {}
    strangers: list[Stranger] = []
    seen: dict[tuple[str, str], int] = {}
    for row in layout.rows:
        ids = dict(_ids(sheet, layout, row))
        for key, value in ids.items():
            before = seen.setdefault((key, folded(key, value)), row)
            if before != row:
                line = sheet.rows[before].line
                raise sheet.error(row, f"the {words_of(key)} {value!r} stands in line {line} already")
        matched = {
            student.name: key
            for key, value in ids.items()
            if (student := known.get((key, folded(key, value))))
        }
        if len(matched) > 1:
            raise sheet.error(
                row, f"by its ids this is {' and '.join(matched)}; `mlsys roster import` it first"
            )
        if not matched:
            who = ", ".join(ids.values()) or "no id"
            strangers.append(Stranger(sheet.rows[row].line, who))
            continue
        name = next(iter(matched))
        _require_agreement(sheet, row, ids, students[name])
        if name in found:
            line = sheet.rows[found[name]].line
            raise sheet.error(row, f"{name} stands in line {line} already")
        found[name] = row
    return found, tuple(strangers)


def choose_columns(
    sheet: Sheet, layout: Layout, items: Mapping[str, Sequence[Grade]], options: Options
) -> tuple[dict[str, GradeColumn], list[str]]:
    """Assignment -> its column, and what is left out. Raises AuthorError for one that is named and not
    there, or not clearly there."""
    found: dict[str, GradeColumn] = {}
    notes = []
    for item, grades in items.items():
        wanted = options.columns.get(item)
        names = (wanted,) if wanted else (grades[0].title, item)
        chosen = [each for each in layout.columns if _is_called(each, names)]
        if layout.is_single and not wanted:
            if len(items) > 1:
                raise AuthorError(f"{sheet.name} is of one assignment; say which, such as {item}")
            chosen = [*layout.columns]
        if len(chosen) > 1:
            headers = some([repr(each.header) for each in chosen])
            raise AuthorError(
                f"{sheet.name}:1: {item} may be {headers}; say which with --column {item}=HEADER"
            )
        if chosen:
            found[item] = chosen[0]
        elif wanted or item in options.required:
            raise AuthorError(
                f"{sheet.name}:1: no column {names[0]!r} for {item}; {_say_columns(layout)}; name the right "
                f"one with --column {item}=HEADER"
            )
        else:
            notes.append(f"{item} has no column {names[0]!r} in the file and is left out")
    if not found:
        raise AuthorError(f"{sheet.name}: no column of it is one of the assignments; {_say_columns(layout)}")
    _require_apart(sheet, found)
    return found, notes


def require_same_maximum(sheet: Sheet, column: GradeColumn, grade: Grade, options: Options) -> None:
    """Raises AuthorError where the two gradebooks have other maxima, and nobody asked for a scale."""
    others = {*column.maxima.values()} | ({column.maximum} if column.maximum is not None else set())
    for other in sorted(others):
        if other <= 0:
            raise AuthorError(f"{sheet.name}:1: column {column.header!r}: its maximum is {other:g}")
        if score_text(other) != score_text(grade.maximum) and not options.scale:
            raise AuthorError(
                f"{sheet.name}:1: column {column.header!r}: its maximum is {score_text(other)}, that of "
                f"{grade.item} is {score_text(grade.maximum)}; change one, or say --scale"
            )


def _holds(before: str, score: str) -> bool:
    if read_score(score) is None:
        return before.casefold() == score.casefold()
    return is_score(before, score)


def _ids(sheet: Sheet, layout: Layout, row: int) -> Iterator[tuple[str, str]]:
    for column in layout.keys:
        value = sheet.rows[row].cells[column.index].value.strip().removeprefix(column.prefix)
        if value:
            yield column.key, value


def _require_agreement(sheet: Sheet, row: int, ids: Mapping[str, str], student: StudentKeys) -> None:
    """Raises AuthorError where the row has another id than the one we know."""
    for key, value in ids.items():
        known = getattr(student, key)
        if known and folded(key, known) != folded(key, value):
            raise sheet.error(
                row,
                f"this is {student.name}, whose {words_of(key)} is {known!r} here and {value!r} in the file; "
                "`mlsys roster import` it first",
            )


def _is_called(column: GradeColumn, names: Sequence[str]) -> bool:
    return any(name.strip() in (column.header, column.title) for name in names)


def _require_apart(sheet: Sheet, found: Mapping[str, GradeColumn]) -> None:
    taken: dict[int, str] = {}
    for item, column in found.items():
        if column.index in taken:
            raise AuthorError(
                f"{sheet.name}:1: column {column.header!r} would be both {taken[column.index]} and {item}"
            )
        taken[column.index] = item


def _say_columns(layout: Layout) -> str:
    headers = [repr(each.header) for each in layout.columns]
    return f"columns of grades are {some(headers)}" if headers else "it has no column of grades"
