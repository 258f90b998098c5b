"""The administrator's commands: up, down, status."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from autograder.errors import AuthorError
from course.reader import COURSE_FILE, read_course
from course.release import release
from hub import lifecycle
from hub.cli.console import (
    AsJson,
    emit,
    results,
    told,
    words,
)
from hub.cli.host import require_isolation
from hub.demo.hub import INSTRUCTOR, STUDENTS, demo_course
from hub.exchange.opening import open_exchange_of
from hub.exchange.records import Member, Role
from hub.login.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, Accounts, one_time_password
from hub.settings import FILE, USER, HubSettings, read_settings, write_settings

DEFAULT_STATE = Path("run/hub")
DEMO_LOGINS = "logins.json"
Typed = TypeVar("Typed")
State = Annotated[
    Path,
    typer.Option(
        "--state", envvar="MLSYS_HUB_STATE", help="The hub's state directory.", show_default="run/hub"
    ),
]


def up_command(
    state: State = DEFAULT_STATE,
    demo: Annotated[
        bool, typer.Option("--demo", help="A course that is open now, with four people.")
    ] = False,
    course: Annotated[
        Path | None, typer.Option(envvar="MLSYS_COURSE", help="The course.toml to teach.")
    ] = None,
    course_dir: Annotated[
        Path | None, typer.Option(envvar="MLSYS_COURSE_DIR", help="Where the course's work is kept.")
    ] = None,
    instructor: Annotated[str | None, typer.Option(help="The first instructor's user name.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="A file with the instructor's password, for scripts.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Where the hub listens on this machine.")
    ] = 8000,
) -> None:
    """Start the hub; the first time, set it up. What is running is left alone."""
    require_isolation()
    state = state.resolve()
    with told():
        first = not (state / FILE).is_file()
        logins: list[tuple[str, str]] = []
        if first:
            asked = ask(
                state, demo=demo, course=course, course_dir=course_dir, instructor=instructor, port=port
            )
            logins = set_up(asked, demo=demo, password_file=password_file)
        settings = read_settings(state)
        if demo and not first and not (state / DEMO_LOGINS).is_file():
            raise AuthorError(
                f"{state} holds a hub that is no demo; name another --state, or leave out --demo"
            )
        lifecycle.start(settings, lambda step: words.print(step, markup=False))
        show_logins(settings, logins)


def down_command(
    state: State = DEFAULT_STATE,
    keep_servers: Annotated[
        bool, typer.Option("--keep-servers", help="Leave users' servers running.")
    ] = False,
) -> None:
    """Stop the hub and users' servers. Nothing is lost: `mlsys up` goes on where it stopped."""
    with told():
        stopped = lifecycle.stop(read_settings(state), words.print, keep_servers=keep_servers)
        words.print("the hub is down" if stopped else "the hub was not running")


def status_command(state: State = DEFAULT_STATE, as_json: AsJson = False) -> None:
    """Say whether the hub runs and answers, and how many servers it has."""
    with told():
        found = lifecycle.status(read_settings(state))
        if as_json:
            emit(asdict(found))
        else:
            word = "up" if found.healthy else "not answering" if found.running else "down"
            results.print(
                f"hub      {word}\naddress  {found.url}\nservers  {found.servers}\nstate    {found.state}"
            )
        raise typer.Exit(0 if found.healthy else 1)


@dataclass(frozen=True)
class Asked:
    """What the first `mlsys up` has to know."""

    settings: HubSettings
    instructor: str


def ask(
    state: Path,
    *,
    demo: bool,
    course: Path | None,
    course_dir: Path | None,
    instructor: str | None,
    port: int,
) -> Asked:
    """From options, else from the person at the terminal, else the usual."""
    if demo:
        file = demo_course(state)
        return Asked(
            HubSettings(state, file, (state / "course").resolve(), (INSTRUCTOR,), port=port), INSTRUCTOR
        )
    course = readable(str(course)) if course else _typed("Course file", str(COURSE_FILE), readable)
    course_dir = course_dir or _typed("Course directory", "run/course", Path)
    name = user_name(instructor) if instructor else _typed("Instructor's user name", "instructor", user_name)
    return Asked(HubSettings(state, course.resolve(), course_dir.resolve(), (name,), port=port), name)


def readable(file: str) -> Path:
    """A course file that can be read. Raises AuthorError."""
    read_course(Path(file))
    return Path(file)


def user_name(name: str) -> str:
    """A name that the hub takes. Raises AuthorError."""
    if not re.fullmatch(USER, name):
        raise AuthorError(f"{name!r} is no user name: small letters, digits, dots and dashes, at most 64")
    return name


def long_enough(password: str) -> str:
    """A password that the hub takes. Raises AuthorError."""
    if not SHORTEST_PASSWORD <= len(password.encode()) <= LONGEST_PASSWORD:
        raise AuthorError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} signs")
    return password


def set_up(asked: Asked, *, demo: bool, password_file: Path | None) -> list[tuple[str, str]]:
    """Releases the course, makes the first accounts and writes hub.toml last, so that a set-up that was
    stopped half way begins anew. Returns names and passwords to show."""
    settings = asked.settings
    settings.state.mkdir(mode=0o711, parents=True, exist_ok=True)
    logins = [(asked.instructor, choose_password(password_file, demo=demo))]
    logins += [(name, f"{name}-{secrets.token_hex(4)}") for name in STUDENTS] if demo else []
    course = read_course(settings.course)
    words.print("building and releasing the assignments")
    released = release(course, settings.course_dir)
    with open_exchange_of(settings) as exchange:
        exchange.enrol(
            [
                Member(name, Role.INSTRUCTOR if name == asked.instructor else Role.STUDENT)
                for name, _ in logins
            ]
        )
        for each in released:
            exchange.release(each.assignment.id)
    accounts = Accounts(settings.state)
    for name, password in logins:
        accounts.add(name, password, one_time=False)
    if demo:
        write_logins(settings.state, logins)
    write_settings(settings)
    return [] if password_file or (not demo and sys.stdin.isatty()) else logins


def choose_password(file: Path | None, *, demo: bool) -> str:
    """From a file, from the person at the terminal, or a new one, which is shown once."""
    if file is not None:
        try:
            return long_enough(file.read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            raise AuthorError(f"{file} can't be read: {error}") from error
    if demo or not sys.stdin.isatty():
        return one_time_password()
    what = f"Instructor's password, {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} signs"
    return _asked(what, long_enough, hide_input=True, confirmation_prompt=True)


def write_logins(state: Path, logins: list[tuple[str, str]]) -> None:
    """A demo's passwords, for its owner to see again."""
    with os.fdopen(os.open(state / DEMO_LOGINS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(logins, file)


def show_logins(settings: HubSettings, logins: list[tuple[str, str]]) -> None:
    """Where the hub is and who can log in; a demo's passwords every time, others once."""
    words.print(f"the hub is up: [bold]{settings.url}[/]")
    kept = settings.state / DEMO_LOGINS
    if not logins and not kept.is_file():
        words.print("log in as " + ", ".join(settings.instructors))
        return
    table = Table(header_style="bold", caption=None if kept.is_file() else "shown once: write it down")
    for column in ("user", "password", "role"):
        table.add_column(column)
    for name, password in logins or json.loads(kept.read_text()):
        table.add_row(name, password, "instructor" if name in settings.instructors else "student")
    results.print(table)


def _typed(what: str, usual: str, read: Callable[[str], Typed]) -> Typed:
    """What the person types; the usual where nobody sits there."""
    return _asked(what, read, default=usual) if sys.stdin.isatty() else read(usual)


def _asked(what: str, read: Callable[[str], Typed], **options: Any) -> Typed:
    """Asks until ``read`` takes the answer."""

    def checked(answer: str) -> Typed:
        try:
            return read(answer)
        except AuthorError as error:
            raise typer.BadParameter(str(error)) from error

    answer: Typed = typer.prompt(what, value_proc=checked, **options)
    return answer
