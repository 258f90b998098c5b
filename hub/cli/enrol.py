"""enrol: the roster that lets people in."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from autograder.errors import AuthorError
from hub.cli.console import DEFAULT_COURSE, DEFAULT_COURSE_DIR, AsJson, emit, results, told, words
from hub.cli.exchange import opened
from hub.cli.hub import DEFAULT_STATE, State
from hub.exchange.opening import open_exchange_of
from hub.exchange.places import DATABASE_VARIABLE
from hub.exchange.records import Member, Role
from hub.login.accounts import Accounts, one_time_password
from hub.settings import FILE, USER, read_settings


def enrol_command(
    file: Annotated[Path, typer.Argument(help="CSV with a column `name`; also full_name, email, role.")],
    state: State = DEFAULT_STATE,
    as_json: AsJson = False,
) -> None:
    """Enrol people from a CSV and print a one-time password for each new account."""
    with told():
        members = list(read_roster(file))
        if is_elsewhere(state):
            enrol_only(members)
            return
        settings = read_settings(state)
        accounts = Accounts(settings.state)
        with open_exchange_of(settings) as exchange:
            known = {member.name for member in exchange.roster()}
            exchange.enrol(members)
        new = [member for member in members if member.name not in known or accounts.find(member.name)]
        table = Table(header_style="bold")
        table.add_column("user")
        table.add_column("one-time password")
        for member in new:
            password = one_time_password()
            accounts.add(member.name, password, one_time=True)
            if as_json:
                emit({"name": member.name, "one_time_password": password})
            table.add_row(member.name, password)
        if new and not as_json:
            results.print(table)
        words.print(f"{len(members)} on the list, {len(new)} new; their page: {settings.url}hub/first-login")


def is_elsewhere(state: Path) -> bool:
    """Whether the hub runs on another machine, with logins of an institution, as on Kubernetes."""
    return not (state / FILE).is_file() and DATABASE_VARIABLE in os.environ


def enrol_only(members: list[Member]) -> None:
    """Puts people on the roster of the exchange that the environment names; they have accounts."""
    course = Path(os.environ.get("MLSYS_COURSE", DEFAULT_COURSE))
    course_dir = Path(os.environ.get("MLSYS_COURSE_DIR", DEFAULT_COURSE_DIR))
    with opened(course, course_dir) as exchange:
        exchange.enrol(members)
    words.print(f"{len(members)} on the list are on the roster; they log in where they always do")


def read_roster(file: Path) -> Iterator[Member]:
    """The people of a roster CSV. Raises AuthorError with file and line."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as handle:
            rows = csv.DictReader(handle)
            if "name" not in (rows.fieldnames or ()):
                raise AuthorError(f"{file}:1: no column `name`; the first line names the columns")
            seen: dict[str, int] = {}
            for row in rows:
                name = (row["name"] or "").strip().lower()
                place = f"{file}:{rows.line_num}"
                if not re.fullmatch(USER, name):
                    raise AuthorError(f"{place}: {name!r} is no user name: letters, digits, dots, dashes")
                if name in seen:
                    raise AuthorError(f"{place}: {name} stands in line {seen[name]} already")
                seen[name] = rows.line_num
                role = (row.get("role") or Role.STUDENT.value).strip().lower()
                if role not in list(Role):
                    raise AuthorError(f"{place}: role {role!r}; known here: {', '.join(Role)}")
                yield Member(
                    name, Role(role), (row.get("full_name") or "").strip(), (row.get("email") or "").strip()
                )
    except FileNotFoundError:
        raise AuthorError(f"{file}: no such file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise AuthorError(f"{file}: not a CSV file in UTF-8: {error}") from error
