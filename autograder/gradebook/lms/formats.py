"""The formats of grades in files: what each takes, in one table.

Contract: ``FORMATS`` is the only place that knows all formats; who exports or reads a roster asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from autograder.gradebook.gradetable import StudentKeys
from autograder.gradebook.lms import blackboard, brightspace, canvas, moodle, oneroster, sakai, table
from autograder.gradebook.lms.filling import Layout
from autograder.gradebook.lms.plan import Item, Options
from autograder.gradebook.lms.sheet import Sheet


class Format(StrEnum):
    """What ``--to`` takes."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    MOODLE_XML = "moodle-xml"
    BLACKBOARD = "blackboard"
    BRIGHTSPACE = "brightspace"
    SAKAI = "sakai"
    ONEROSTER = "oneroster"
    CSV = "csv"
    EXCEL = "excel"


Write = Callable[[Sequence[Item], Options], bytes]


@dataclass(frozen=True)
class Template:
    """How a teacher's download is read. ``columns``: sets of headings, one of which its first row has;
    ``escape``: see ``sheet.Dialect``; ``file``: what people call it."""

    file: str
    delimiters: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    layout: Callable[[Sheet], Layout]
    escape: str = ""


@dataclass(frozen=True)
class LmsFormat:
    """One format. ``suffix``: of its files; ``write``: a fresh file, of one assignment unless
    ``is_joint``; ``keys``: the ids that it knows students by: ``mixes`` says whether each student may be
    known by another of them; ``usable``: whether it takes a student's ids as they are.
    ``comments``: it takes feedback; ``excuses``: and excused students. ``hint``: what staff should know
    before they import a fresh file."""

    title: str
    suffix: str
    write: Write
    keys: tuple[str, ...]
    mixes: bool = False
    usable: Callable[[StudentKeys], bool] = lambda student: True
    is_joint: bool = False
    comments: bool = False
    excuses: bool = False
    template: Template | None = None
    hint: str = ""


def _one(write: Callable[[Item], bytes]) -> Write:
    return lambda items, options: write(items[0])


def _all(write: Callable[[Sequence[Item]], bytes]) -> Write:
    return lambda items, options: write(items)


FORMATS = {
    Format.CANVAS: LmsFormat(
        "Canvas", ".csv", _one(canvas.write), ("lms_id", "sis_id", "login"), mixes=True,
        usable=canvas.usable, excuses=True,
        template=Template("gradebook export", canvas.DELIMITERS, canvas.COLUMNS, canvas.layout),
        hint="A title that isn't exactly one of Canvas's becomes a new assignment there.",
    ),
    Format.MOODLE: LmsFormat(
        "Moodle", ".csv", _one(moodle.write), ("sis_id", "login", "email"), comments=True,
        template=Template(
            "offline grading worksheet", moodle.DELIMITERS, moodle.WORKSHEET, moodle.worksheet, moodle.ESCAPE
        ),
        hint="Make the grade item there first, with the same maximum; in the import choose by which id and "
        "into which item. What is imported is marked as overridden there: keep such an item to files.",
    ),
    Format.MOODLE_XML: LmsFormat(
        "Moodle XML", ".xml", _all(moodle.write_xml), ("sis_id",), is_joint=True, comments=True,
        hint="The grade item there must have the id number that the file names, and the same maximum.",
    ),
    Format.BLACKBOARD: LmsFormat(
        "Blackboard", ".xls", _one(blackboard.write), ("login",),
        template=Template("gradebook download", blackboard.DELIMITERS, blackboard.COLUMNS, blackboard.layout),
    ),
    Format.BRIGHTSPACE: LmsFormat(
        "Brightspace", ".csv", _one(brightspace.write), ("sis_id", "login"),
        hint="Grade items are found there by their names; only --template knows their maxima.",
        template=Template("grades export", brightspace.DELIMITERS, brightspace.COLUMNS, brightspace.layout),
    ),
    Format.SAKAI: LmsFormat("Sakai", ".csv", _one(sakai.write), ("login",), comments=True),
    Format.ONEROSTER: LmsFormat(
        "OneRoster", ".zip", oneroster.write, ("sis_id",), is_joint=True, comments=True, excuses=True,
        hint="It is a bulk file: some systems take it for all results that there are.",
    ),
    Format.CSV: LmsFormat(
        "CSV", ".csv", _all(table.write), ("name",), is_joint=True, comments=True, excuses=True
    ),
    Format.EXCEL: LmsFormat(
        "Excel", ".xlsx", _all(table.write_excel), ("name",), is_joint=True, comments=True, excuses=True
    ),
}  # fmt: skip
