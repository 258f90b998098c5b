"""What belongs to a course and its hub, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from autograder.errors import PlatformError
from course.gradebook import gradebook_url
from hub.backup.databases import parse
from hub.exchange.places import exchange_database, exchange_storage
from hub.settings import HubSettings

EXCHANGE_FILES = "exchange"
HUB_DATABASE, ACCOUNTS = "jupyterhub.sqlite", "accounts.sqlite"
HOMES = "homes"
# Of the state directory: what is true of one run only.
PASSING = frozenset({"servers", "hub.json", "hub.log", "proxy.pid", ".lock"})


@dataclass(frozen=True)
class Holdings:
    """``state``: the hub's directory, None for a course without one. ``databases``: by what is kept
    in them: gradebook, exchange, hub, accounts. ``storage``: of the exchange's files, where they aren't
    in the course directory. ``homes``: whether users' homes belong to it."""

    course_file: Path
    course_dir: Path
    state: Path | None
    databases: dict[str, URL]
    storage: str = ""
    homes: bool = True


def holdings_of(
    settings: HubSettings | None, course_file: Path, course_dir: Path, *, homes: bool = True
) -> Holdings:
    """Of a hub, or of a course directory and what the environment says of its exchange. Raises
    PlatformError."""
    if settings is None:
        course_dir, files = course_dir.resolve(), exchange_storage(course_dir) or ""
        return Holdings(course_file.resolve(), course_dir, None, _present(_course(course_dir, "", "")), files)
    storage, state = settings.storage, settings.state
    urls = _course(settings.course_dir, storage.gradebook_database, storage.exchange_database)
    urls["hub"] = storage.hub_database or f"sqlite:///{state / HUB_DATABASE}"
    urls["accounts"] = f"sqlite:///{state / ACCOUNTS}"
    return Holdings(
        settings.course, settings.course_dir, state, _present(urls), storage.exchange_files, homes
    )


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _course(course_dir: Path, gradebook: str, exchange: str) -> dict[str, str]:
    if not course_dir.is_dir():
        raise PlatformError(f"{course_dir} is no course directory; name it with --course-dir or --state")
    return {
        "gradebook": gradebook or gradebook_url(course_dir),
        "exchange": exchange or exchange_database(course_dir),
    }


def _present(urls: dict[str, str]) -> dict[str, URL]:
    """The databases that have been made."""
    parsed = {name: parse(url) for name, url in urls.items()}
    return {name: url for name, url in parsed.items() if (file := sqlite_file(url)) is None or file.is_file()}
