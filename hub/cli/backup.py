"""The administrator's commands for the day when the machine is lost: backup, restore."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from autograder.errors import AuthorError, PlatformError
from course.reader import COURSE_FILE, read_course
from hub.backup import Backup, Holdings, Targets, back_up, check, holdings_of, restore
from hub.cli.console import AsJson, emit, told, words
from hub.cli.hub import DEFAULT_STATE, State
from hub.settings import FILE, read_settings

SHOWN = 10
Archive = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="A file that `mlsys backup` made.")]


def backup_command(
    to: Annotated[Path, typer.Argument(help="A folder, or the archive's name.")],
    state: State = DEFAULT_STATE,
    course_dir: Annotated[
        Path | None,
        typer.Option(envvar="MLSYS_COURSE_DIR", help="Only this course directory, if it is not the hub's."),
    ] = None,
    homes: Annotated[bool, typer.Option(help="With users' homes.")] = True,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Of the folder's archives keep so many, the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put everything into one archive, while the hub runs: work, grades, accounts, secrets."""
    with told():
        holdings = _holdings(state, course_dir, homes=homes)
        file = to / _name(holdings) if to.is_dir() else to
        if keep is not None and not to.is_dir():
            raise PlatformError(f"{to} is no folder, and --keep is for one")
        with _counting("backing up") as each:
            made = back_up(holdings, file, each)
        removed = _remove_old(to, holdings, keep) if keep is not None else []
        _say(made, removed)
        if as_json:
            emit({**asdict(made), "removed": removed})


def restore_command(
    archive: Archive,
    state: Annotated[
        Path | None, typer.Option(help="A new folder for the hub; without it the course alone.")
    ] = None,
    course_dir: Annotated[Path | None, typer.Option(help="A new folder for the course directory.")] = None,
    course: Annotated[Path | None, typer.Option(help="The course.toml, if it is elsewhere now.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Another port for the hub.")] = None,
    database: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=URL", help="An empty PostgreSQL database for gradebook, exchange or hub."),
    ] = None,
    exchange_files: Annotated[str, typer.Option(help="Where the exchange keeps files, if it was S3.")] = "",
    only_check: Annotated[bool, typer.Option("--check", help="Read it to its end; write nothing.")] = False,
) -> None:
    """Put an archive back, into new folders and empty databases; nothing that is there is replaced."""
    with told():
        if only_check:
            with _counting("checking") as each:
                found = check(archive, each)
            words.print(f"whole: {len(found.manifest.files)} files of {found.manifest.made}", markup=False)
            return
        if course_dir is None:
            raise PlatformError("say where the course directory is to be: --course-dir DIR")
        urls = dict(map(_named_url, database or ()))
        targets = Targets(course_dir, state, urls, exchange_files, course, port)
        with _counting("restoring") as each:
            done = restore(archive, targets, each)
        words.print(f"restored the backup of {done.manifest.made} in {done.course_dir}", markup=False)
        if done.state is not None:
            words.print(f"start it with: mlsys up --state {done.state}", markup=False)


def _holdings(state: Path, course_dir: Path | None, *, homes: bool) -> Holdings:
    """The hub's, or a course directory's that has no hub here."""
    settings = read_settings(state) if (state / FILE).is_file() else None
    if settings is not None and (course_dir is None or course_dir.resolve() == settings.course_dir):
        return holdings_of(settings, settings.course, settings.course_dir, homes=homes)
    if course_dir is None:
        raise PlatformError(f"{state} holds no hub; name it with --state, or a --course-dir without one")
    return holdings_of(None, COURSE_FILE, course_dir)


def _stem(holdings: Holdings) -> str:
    """How archives of this course begin."""
    try:
        return f"mlsys-{read_course(holdings.course_file).id}-"
    except AuthorError:
        return "mlsys-course-"


def _name(holdings: Holdings) -> str:
    return f"{_stem(holdings)}{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz"


def _remove_old(folder: Path, holdings: Holdings, keep: int) -> list[str]:
    """Removes archives of this course but the newest; only files that are named as ours are."""
    ours = re.compile(re.escape(_stem(holdings)) + r"\d{8}T\d{6}Z\.tar\.gz")
    found = sorted(path for path in folder.iterdir() if ours.fullmatch(path.name) and path.is_file())
    for path in found[:-keep]:
        path.unlink()
    return [path.name for path in found[:-keep]]


def _say(made: Backup, removed: list[str]) -> None:
    size = made.size / 2**20
    words.print(f"{made.file}: {made.files} files in {size:.1f} MB, for your eyes only", markup=False)
    for each in made.skipped[:SHOWN]:
        words.print(f"left out {each}", markup=False)
    if len(made.skipped) > SHOWN:
        words.print(f"left out {len(made.skipped) - SHOWN} more")
    for name in removed:
        words.print(f"removed {name}", markup=False)


def _named_url(given: str) -> tuple[str, str]:
    name, equals, url = given.partition("=")
    if not equals or name not in ("gradebook", "exchange", "hub"):
        raise PlatformError("--database is NAME=URL; NAME is gradebook, exchange or hub")
    return name, url


@contextmanager
def _counting(what: str) -> Iterator[Callable[[str, int], None]]:
    """A line that says how many files and bytes are done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=words, transient=True) as progress:
        task = progress.add_task(what)
        files = size = 0

        def each(name: str, bytes_: int) -> None:
            nonlocal files, size
            files, size = files + 1, size + bytes_
            progress.update(task, description=f"{what}: {files} files, {size / 2**20:.0f} MB")

        yield each
