"""Grades into files: fresh ones, or the file that a teacher downloaded.

Contract: pure; a plan is made whole or an AuthorError says why not. A fresh file has only students whose
grade is written, each by an id; who has none is in the plan as unmatched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import Grade, StudentKeys, items_of
from autograder.gradebook.lms.filling import fill
from autograder.gradebook.lms.formats import FORMATS, Format, LmsFormat
from autograder.gradebook.lms.plan import (
    Entry,
    Item,
    Line,
    Options,
    Outcome,
    Plan,
    entry_of,
    require_one_each,
    words_of,
)
from autograder.gradebook.lms.sheet import DELIMITERS, Dialect, Sheet, Text, first_row, read_sheet
from autograder.gradebook.lms.writing import key_of_most

SHOWN = 8


def plan_fresh(grades: Sequence[Grade], to: Format, options: Options) -> Plan:
    """The plan of new files, named after course and assignment. Raises AuthorError."""
    form = FORMATS[to]
    _require_fit(form, options)
    require_one_each({grade.student.name: grade.student for grade in grades}.values())
    entries = [entry_of(grade, options, excuses=form.excuses) for grade in grades]
    usable = _who_is_known(form, [each.student for each in entries if isinstance(each, Entry)])
    lines: list[Line] = []
    chosen: dict[str, list[Entry]] = {}
    for each in entries:
        if isinstance(each, Line):
            lines.append(each)
            continue
        name, item = each.student.name, each.grade.item
        if reason := usable[name]:
            lines.append(Line(item, name, Outcome.UNMATCHED, each.score, note=reason))
        else:
            lines.append(Line(item, name, Outcome.WRITE, each.score))
            chosen.setdefault(item, []).append(each)
    items = [
        Item(
            item,
            options.columns.get(item) or own[0].title,
            item in options.columns,
            own[0].maximum,
            tuple(chosen[item]),
        )
        for item, own in items_of(grades).items()
        if item in chosen
    ]
    return Plan(tuple(lines), _files(form, items, options, grades))


def plan_template(grades: Sequence[Grade], to: Format, source: Text, options: Options) -> Plan:
    """The plan of a downloaded file with grades filled in, under its own name. Raises AuthorError."""
    template = FORMATS[to].template
    if template is None:
        raise AuthorError(f"{FORMATS[to].title} has no file to fill in; leave out --template")
    sheet = read_template(source, to)
    return fill(sheet, template.layout(sheet), grades, options, source.name)


def read_template(source: Text, to: Format) -> Sheet:
    """The sheet of a download of this format. Raises AuthorError for any other file."""
    template = FORMATS[to].template
    assert template is not None  # noqa: S101 -- the caller has looked
    sheet = read_sheet(source, template.delimiters, template.columns, escape=template.escape)
    if sheet is None:
        found = first_row(source, Dialect(template.delimiters[0]))
        wanted = " or ".join(", ".join(map(repr, names)) for names in template.columns)
        ways = ", ".join(DELIMITERS[sign] for sign in template.delimiters)
        raise AuthorError(
            f"{source.name}:1: this is no {FORMATS[to].title} {template.file}: its first row must have "
            f"{wanted}, between {ways}; it has {', '.join(map(repr, found[:SHOWN])) or 'nothing'}"
        )
    return sheet


def _require_fit(form: LmsFormat, options: Options) -> None:
    if options.with_feedback and not form.comments:
        raise AuthorError(f"{form.title} takes no feedback in a file; export without --with-feedback")
    if options.scale:
        raise AuthorError("--scale needs the maximum of the file that you downloaded: --template FILE")


def _who_is_known(form: LmsFormat, students: Sequence[StudentKeys]) -> Mapping[str, str]:
    """Hub name -> why the other gradebook can't know the student; "" for those that it can."""
    keys = form.keys
    if students and not form.mixes:
        keys = (key_of_most(students, form.keys),)
    wanted = " or ".join(map(words_of, keys))
    found = {}
    for student in students:
        has = any(getattr(student, key) for key in keys)
        reason = "" if has else f"no {wanted} is known"
        if has and not form.usable(student):
            reason = f"{form.title} would take the {wanted} for a number and change it"
        found[student.name] = reason
    return found


def _files(
    form: LmsFormat, items: Sequence[Item], options: Options, grades: Sequence[Grade]
) -> dict[str, bytes]:
    if not items:
        return {}
    course = grades[0].course
    word = form.title.lower().replace(" ", "-")
    if form.is_joint:
        return {f"{course}-{word}{form.suffix}": form.write(items, options)}
    return {f"{course}-{item.id}-{word}{form.suffix}": form.write([item], options) for item in items}
