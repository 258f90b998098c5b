"""``mlsys export --to``: grades in a file for a learning management system; a report first, then the file.

With ``--json`` there is a record ``grade`` for each line of the report, ``stranger`` for each row of the
download that nobody here is, ``note``, and at last ``done``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from autograder.errors import AuthorError, PlatformError
from autograder.files import lay_beside
from autograder.gradebook.lms.exporting import plan_fresh, plan_template
from autograder.gradebook.lms.formats import FORMATS, Format
from autograder.gradebook.lms.plan import Line, Options, Outcome, OverMaximum, Plan, some
from autograder.gradebook.lms.sheet import Encoding, Text, read_bytes, read_text
from course.records import Course
from hub.cli.console import FAILED, emit, words
from hub.coursework import entry_of, open_gradebook
from hub.exchange.opening import open_exchange
from hub.gradetable import course_grades

To = Annotated[Format | None, typer.Option("--to", help="For which system; without it, our own tables.")]
Template = Annotated[
    Path | None, typer.Option(help="A gradebook file that you downloaded there, to be filled in.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Write without asking.")]
MissingAsZero = Annotated[
    bool, typer.Option("--missing-as-zero", help="0 for who handed nothing in and has no time left.")
]
WithFeedback = Annotated[bool, typer.Option("--with-feedback", help="With what is said about each grade.")]
Scale = Annotated[bool, typer.Option("--scale", help="As parts of the maximum that the download says.")]
Over = Annotated[OverMaximum, typer.Option("--over-maximum", help="With more points than the maximum.")]
Columns = Annotated[
    list[str] | None, typer.Option("--column", metavar="ID=NAME", help="What an assignment is called there.")
]
Headings = Annotated[
    list[str] | None,
    typer.Option("--heading", metavar="THEIRS=OURS", help="A heading of the file in another language."),
]
FileEncoding = Annotated[
    Encoding, typer.Option("--encoding", help="Of a download without a mark of its own.")
]
Places = Annotated[
    list[str] | None,
    typer.Option("--oneroster", metavar="WHAT=ID", help="sourcedIds of class, school, session, category."),
]

SHOWN = 10
ADVICE = {
    Outcome.UNMATCHED: "`mlsys roster import` maps people to their ids there",
    Outcome.OVERWRITE: "another grade stands there",
    Outcome.OVER: "nothing is written; see --over-maximum",
}


@dataclass(frozen=True)
class Wish:
    """What somebody asks of an export; the fields are the command's options."""

    to: Format
    ids: tuple[str, ...] = ()
    template: Path | None = None
    output: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    encoding: Encoding = Encoding.UTF_8
    over: OverMaximum = OverMaximum.REFUSE
    missing_as_zero: bool = False
    with_feedback: bool = False
    scale: bool = False
    dry: bool = False
    yes: bool = False
    as_json: bool = False


def export_to(course: Course, course_dir: Path, wish: Wish) -> None:
    """Plans, shows the plan, asks, and writes all of it or nothing."""
    plan = make_plan(course, course_dir, wish)
    tell(plan, as_json=wish.as_json)
    targets = places_of(plan, wish, course_dir)
    if wish.dry:
        where = some([str(each) for each in targets]) or "no file"
        words.print(f"nothing was written; without --dry-run: {where}", markup=False, soft_wrap=True)
        done(plan, [], wish)
        return
    plan.require_writable()
    require_agreement(f"Write {plan.writes} grades to {some([str(each) for each in targets])}?", yes=wish.yes)
    write_all(targets)
    for path in targets:
        words.print(f"written  {path}", soft_wrap=True, markup=False)
    if wish.template is None and FORMATS[wish.to].hint:
        words.print(FORMATS[wish.to].hint, markup=False)
    done(plan, [*targets], wish)


def make_plan(course: Course, course_dir: Path, wish: Wish) -> Plan:
    """What the export would do. Raises AuthorError, PlatformError."""
    for each in (*wish.ids, *wish.columns):
        entry_of(course, each)
    open_gradebook(course_dir).close()  # before an exchange is made where there is no course
    source = None if wish.template is None else read_template_file(wish.template, wish)
    with open_exchange(course, course_dir) as exchange:
        graded = course_grades(exchange, wish.ids, with_feedback=wish.with_feedback)
        today = exchange.clock().astimezone(course.timezone).date()
    options = Options(
        missing_as_zero=wish.missing_as_zero,
        with_feedback=wish.with_feedback,
        scale=wish.scale,
        over=wish.over,
        columns=wish.columns,
        required=wish.ids,
        not_due=graded.not_due,
        places=wish.places,
        dates=graded.dates,
        today=today,
    )
    if source is None:
        return plan_fresh(graded.grades, wish.to, options)
    return plan_template(graded.grades, wish.to, source, options)


def read_template_file(file: Path, wish: Wish) -> Text:
    """The text of a download, with its headings as they are called here."""
    source = read_text(str(file), read_bytes(file), wish.encoding)
    return replace(source, headings=wish.headings)


def tell(plan: Plan, *, as_json: bool) -> None:
    """The report: how many of each outcome, then who, where somebody should look."""
    if as_json:
        tell_scripts(plan)
        return
    table = Table(header_style="bold")
    table.add_column("assignment")
    used = [each for each in Outcome if plan.count()[each]]
    for outcome in used:
        table.add_column(outcome.value, justify="right")
    for item in plan.items:
        table.add_row(escape(item), *(str(plan.count(item)[each] or "") for each in used))
    words.print(table)
    for outcome, advice in ADVICE.items():
        lines = [line for line in plan.lines if line.outcome is outcome]
        if lines:
            words.print(f"[yellow]{outcome.value}[/] ({advice}):")
        say([words_of(line) for line in lines])
    if plan.strangers:
        words.print(f"[yellow]in the file, and nobody here[/] ({len(plan.strangers)}):")
        say([f"line {each.line}: {each.who}" for each in plan.strangers])
    for note in plan.notes:
        words.print(f"note: {note}", markup=False)


def tell_scripts(plan: Plan) -> None:
    """The report as records."""
    for line in plan.lines:
        emit({"event": "grade", **asdict(line)})
    for stranger in plan.strangers:
        emit({"event": "stranger", **asdict(stranger)})
    for note in plan.notes:
        emit({"event": "note", "words": note})


def done(plan: Plan, written: list[Path], wish: Wish) -> None:
    """The last record."""
    if wish.as_json:
        counts = {outcome.value: count for outcome, count in plan.count().items()}
        files = [str(path) for path in written]
        emit({"event": "done", "dry_run": wish.dry, "counts": counts, "written": files})


def words_of(line: Line) -> str:
    """A line of the report."""
    change = f" {line.before} → {line.score}" if line.outcome is Outcome.OVERWRITE else ""
    note = f" ({line.note})" if line.note else ""
    return f"{line.item} {line.student}{change}{note}"


def say(lines: Iterable[str]) -> None:
    """The first lines, and how many more. What a file says moves no cursor of ours."""
    found = [*lines]
    for line in found[:SHOWN]:
        shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in line)
        words.print(f"  {shown}", markup=False, soft_wrap=True)
    if len(found) > SHOWN:
        words.print(f"  and {len(found) - SHOWN} more; --json lists all")


def places_of(plan: Plan, wish: Wish, course_dir: Path) -> dict[Path, bytes]:
    """Where each file goes: the course directory's exports/, or where the person says. Raises
    AuthorError for one place of several files, and for the download itself, which is kept as it is."""
    output = wish.output or course_dir / "exports"
    names = {Path(name).name: data for name, data in plan.files.items()}
    if output.suffix and not output.is_dir():
        if len(names) > 1:
            raise AuthorError(f"{output} is one file, but there would be {len(names)}; name a folder")
        found = dict(zip([output], names.values(), strict=False))
    else:
        found = {output / name: data for name, data in names.items()}
    for path in found:
        if wish.template is not None and path.resolve() == wish.template.resolve():
            raise AuthorError(f"{path} is what you downloaded and is kept as it is; name another --output")
    return found


def require_agreement(question: str, *, yes: bool) -> None:
    """Asks the person. Ends the command where they don't agree, or can't be asked."""
    if yes:
        return
    try:
        if typer.confirm(question, err=True):
            return
    except typer.Abort:
        words.print("nobody answered; --yes writes without asking")
    words.print("nothing was written")
    raise typer.Exit(FAILED)


def write_all(files: Mapping[Path, bytes]) -> None:
    """Each file appears whole, and none before all of them could be written. They are their owner's to
    read: they hold grades and people's ids."""
    ready: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            ready[lay_beside(path, data, durable=True)] = path
        for temporary, path in ready.items():
            temporary.replace(path)
    except OSError as error:
        raise PlatformError(f"{error.filename}: {error.strerror}; name another --output") from error
    finally:
        for temporary in ready:
            temporary.unlink(missing_ok=True)


def pairs(option: str, given: list[str] | None) -> dict[str, str]:
    """``--column a=b`` as a pair. Raises AuthorError."""
    found: dict[str, str] = {}
    for text in given or ():
        name, is_there, value = text.partition("=")
        if not is_there or not name.strip() or not value.strip():
            raise AuthorError(f"{option} {text}: write it as {option} NAME=VALUE")
        if name.strip() in found:
            raise AuthorError(f"{option} {text}: {name.strip()} has a value already")
        found[name.strip()] = value.strip()
    return found
