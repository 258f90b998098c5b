"""roster: the people of the course; ``roster import`` maps them to their ids in an LMS.

With ``--json`` the import writes a record ``person`` for each one that changes, ``stranger`` for each row of
the file that nobody here is, ``absent`` for each student whom the file lacks, and at last ``done``.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from autograder.gradebook.gradetable import StudentKeys, names_of
from autograder.gradebook.lms.formats import FORMATS, Format
from autograder.gradebook.lms.plan import some, words_of
from autograder.gradebook.lms.roster import IDS, Match, RosterPlan, match_people, read_people
from autograder.gradebook.lms.sheet import Encoding, read_bytes
from course.gradebook import gradebook_is_there
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    AsJson,
    CourseDir,
    CourseFile,
    emit,
    results,
    told,
    words,
)
from hub.cli.exchange import opened
from hub.cli.lms import FileEncoding, Headings, Yes, pairs, require_agreement, say
from hub.coursework import open_gradebook
from hub.exchange.answers import as_member
from hub.exchange.people import keep_keys, student_keys

app = typer.Typer(invoke_without_command=True)


@app.callback()
def roster_command(
    context: typer.Context,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    as_json: AsJson = False,
) -> None:
    """List the people of the course; `mlsys enrol` adds to them, `import` maps them to an LMS."""
    if context.invoked_subcommand is not None:
        require_no_options(context)
        return
    table = Table("user", "role", "name", "e-mail", *map(words_of, IDS[:2]), "LMS id", header_style="bold")
    with told(), opened(course, course_dir) as exchange:
        keys = student_keys(exchange)
        for each in exchange.roster():
            known = keys.get(each.name, StudentKeys(each.name))
            if as_json:
                ids = {"sis_id": known.sis_id, "login": known.login, "lms_id": known.lms_id}
                emit({**as_member(each), **ids})
            cells = (each.name, each.role.value, known.full_name or each.full_name, known.email or each.email)
            table.add_row(*map(str, (*cells, known.sis_id, known.login, known.lms_id)))
    if not as_json:
        results.print(table)


def require_no_options(context: typer.Context) -> None:
    """Options stand behind the subcommand: before it they would be forgotten."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"write it after {context.invoked_subcommand}", ctx=context)


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A gradebook or participants' file downloaded from the LMS.")],
    form: Annotated[
        Format | None, typer.Option("--from", help="Its format.", show_default="by its first row")
    ] = None,
    encoding: FileEncoding = Encoding.UTF_8,
    heading: Headings = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    dry: Annotated[bool, typer.Option("--dry-run", help="Keep nothing; say what would be kept.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Map hub names to an LMS's ids, from its file; matched by ids, never by people's names."""
    with told(), opened(course, course_dir) as exchange:
        headings = pairs("--heading", heading)
        found, people = read_people(str(file), read_bytes(file), form, encoding, headings)
        plan = match_people(str(file), people, [*student_keys(exchange, graded(course_dir)).values()])
        tell(plan, found, as_json=as_json)
        if plan.changed and not dry:
            require_agreement(f"Keep the ids of {len(plan.changed)} people?", yes=yes)
            keep_keys(exchange.database, plan.changed)
        kept = 0 if dry else len(plan.changed)
        words.print(f"the ids of {kept} people were kept" if kept else "nothing was changed")
        if people and not plan.matches:
            words.print(
                "who is who can be said in a CSV file: name (on the hub), sis_id, login, email, lms_id"
            )
        if as_json:
            counts = {"matched": len(plan.matches), "strangers": len(plan.strangers)}
            emit({"event": "done", "dry_run": dry, "kept": kept, "absent": len(plan.absent), **counts})


def graded(course_dir: Path) -> tuple[str, ...]:
    """Whom the gradebook knows, where there is one: a course without a hub has no other roster."""
    if not gradebook_is_there(course_dir):
        return ()
    with open_gradebook(course_dir) as gradebook:
        return names_of(gradebook)


def tell(plan: RosterPlan, form: Format, *, as_json: bool) -> None:
    """Who was matched, who was not, on both sides."""
    if as_json:
        for keys in plan.changed:
            emit({"event": "person", **asdict(keys)})
        for stranger in plan.strangers:
            emit({"event": "stranger", **asdict(stranger)})
        for name in plan.absent:
            emit({"event": "absent", "name": name})
        return
    words.print(
        f"{FORMATS[form].title}: {len(plan.matches)} people of it are here, {len(plan.changed)} of them with "
        "ids that are new"
    )
    say([_who(keys) for keys in plan.changed])
    changed = [match for match in plan.matches if match.overwritten]
    if changed:
        words.print("[yellow]other ids than before:[/]")
    say([_change(match) for match in changed])
    if plan.strangers:
        words.print(
            f"[yellow]in the file, and nobody here[/] ({len(plan.strangers)}; `mlsys enrol` adds people):"
        )
    say([f"line {each.line}: {each.who}" for each in plan.strangers])
    if plan.absent:
        words.print(f"[yellow]here, and not in the file[/] ({len(plan.absent)}): ", end="")
        words.print(some(plan.absent), markup=False)


def _who(keys: StudentKeys) -> str:
    """For a person to look at: is it them?"""
    ids = ", ".join(value for key in IDS if (value := getattr(keys, key)))
    return f"{keys.name}: {keys.full_name or 'no name'} ({ids})"


def _change(match: Match) -> str:
    ways = [
        f"{words_of(key)} {getattr(match.before, key)} → {getattr(match.after, key)}"
        for key in match.overwritten
    ]
    return f"{match.after.name}: {', '.join(ways)}"
