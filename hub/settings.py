"""hub.toml: how one hub is set up. Written by the first `mlsys up`, read strictly ever after.

Contract: an unknown key, a wrong type or a missing value is an AuthorError that names the file and the
line. Everything else that a hub keeps lies beside hub.toml, in its state directory.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from autograder.errors import PlatformError
from autograder.sandbox import Limits
from course.document import Table, read_toml

FILE = "hub.toml"
# Where the packages autograder, course and hub lie.
PACKAGES = Path(__file__).resolve().parents[1]
KEYS = ("course", "course_dir", "ip", "port", "public_url", "instructors", "login", "server", "storage")
STORAGE_KEYS = ("hub_database", "exchange_database", "exchange_files", "gradebook_database")
LOGIN_KEYS = ("method", "config")
LIMIT_KEYS = tuple(field.name for field in fields(Limits))
SERVER_KEYS = (*LIMIT_KEYS, "idle_minutes", "config")
WHOLE = ("memory_mb", "processes", "file_mb", "output_kb", "tmp_mb")
USER = r"[a-z0-9][a-z0-9._@-]{0,63}"
SECRETS = ("proxy", "service", "culler", "cookie", "metrics")


class LoginMethod(StrEnum):
    """NATIVE: accounts of the hub's own. FILE: an authenticator that a configuration file sets up."""

    NATIVE = "native"
    FILE = "file"


@dataclass(frozen=True)
class Login:
    """``config``: a file of JupyterHub configuration, for LTI, OAuth and the like."""

    method: LoginMethod = LoginMethod.NATIVE
    config: Path | None = None


@dataclass(frozen=True)
class Servers:
    """Users' servers. ``limits``: those that differ from the defaults. A server without use is ended
    after ``idle_minutes``. ``config``: JupyterHub configuration that sets up another spawner."""

    limits: dict[str, float]
    idle_minutes: int = 60
    config: Path | None = None


@dataclass(frozen=True)
class Storage:
    """Where things are kept, if not in SQLite and files: SQLAlchemy's URLs, and fsspec's for files."""

    hub_database: str = ""
    exchange_database: str = ""
    exchange_files: str = ""
    gradebook_database: str = ""


@dataclass(frozen=True)
class HubSettings:
    """``state``: the state directory. ``ip`` and ``port``: where the proxy listens; ``public_url``: the
    address that people type, where another server with TLS stands before it."""

    state: Path
    course: Path
    course_dir: Path
    instructors: tuple[str, ...]
    ip: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    login: Login = Login()
    servers: Servers = Servers({})
    storage: Storage = Storage()

    @property
    def url(self) -> str:
        """Where people find the hub; ends in "/"."""
        return self.public_url or f"http://{self.ip}:{self.port}/"


def read_settings(state: Path) -> HubSettings:
    """The settings of a state directory. Raises AuthorError; PlatformError where there are none."""
    file = state / FILE
    if not file.is_file():
        raise PlatformError(f"{state} holds no hub; run `mlsys up --state {state}` to set one up")
    table = read_toml(file)
    table.only(*KEYS)
    optional = {}
    if "ip" in table:
        optional["ip"] = table.text("ip")
    if "public_url" in table:
        optional["public_url"] = table.matching("public_url", r"https?://\S+/", "a URL that ends in '/'")
    return HubSettings(
        state=state.resolve(),
        course=_path(table, "course"),
        course_dir=_path(table, "course_dir"),
        instructors=table.texts("instructors", USER, "user names in small letters"),
        port=table.integer("port") if "port" in table else 8000,
        login=_login(table.table("login")) if "login" in table else Login(),
        servers=_servers(table.table("server")) if "server" in table else Servers({}),
        storage=_storage(table.table("storage")) if "storage" in table else Storage(),
        **optional,
    )


def write_settings(settings: HubSettings) -> Path:
    """hub.toml as the first `mlsys up` writes it; its owner may then edit it."""
    settings.state.mkdir(mode=0o711, parents=True, exist_ok=True)
    file = settings.state / FILE
    names = ", ".join(json.dumps(name) for name in settings.instructors)
    text = f"""\
# How this hub is set up. `mlsys down` and `mlsys up` make a change take effect.
course = {json.dumps(str(settings.course))}
course_dir = {json.dumps(str(settings.course_dir))}
instructors = [{names}]
ip = {json.dumps(settings.ip)}
port = {settings.port}
# The address that people type, where a server with TLS stands before the hub; see hub/deploy.
# public_url = "https://hub.example.org/"

# "native": accounts of the hub's own. "file": LTI, OAuth and others by a configuration file.
[login]
method = "native"
# config = "lti.py"

# Limits of one user's server. A server without use is ended after idle_minutes.
[server]
memory_mb = 2048
processes = 256
idle_minutes = 60

# Everything is kept in SQLite and files beside this one and in the course directory, unless what follows
# names other places. They begin empty: choose before the course begins, then `mlsys release`, `mlsys
# hand-out` and `mlsys enrol` again. Each database is one of its own.
# [storage]
# hub_database = "postgresql+psycopg://…"
# exchange_database = "postgresql+psycopg://…"
# exchange_files = "s3://bucket/exchange"
# gradebook_database = "postgresql+psycopg://…"
"""
    file.write_text(text)
    file.chmod(0o600)
    return file


def read_secrets(state: Path) -> dict[str, str]:
    """The tokens by which the hub's parts know each other; made on first use, for the owner's eyes."""
    file = state / "secrets.json"
    if not file.exists():
        made = {name: secrets.token_hex(32) for name in SECRETS}
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            json.dump(made, handle)
    try:
        known: dict[str, str] = json.loads(file.read_text())
        return {name: str(known[name]) for name in SECRETS}
    except (ValueError, KeyError) as error:
        raise PlatformError(f"{file} is damaged; restore it from a backup, or remove it") from error


def _path(table: Table, key: str) -> Path:
    return (table.file.parent / table.text(key)).resolve()


def _config(table: Table) -> Path | None:
    if "config" not in table:
        return None
    file = _path(table, "config")
    if not file.is_file():
        raise table.place("config").error(f"no file {file}")
    return file


def _login(table: Table) -> Login:
    table.only(*LOGIN_KEYS)
    word = table.matching("method", "native|file", "'native' or 'file'")
    login = Login(LoginMethod(word), _config(table))
    if (login.method is LoginMethod.FILE) != (login.config is not None):
        raise table.place("method").error("method = 'file' needs config, and only that takes one")
    return login


def _storage(table: Table) -> Storage:
    table.only(*STORAGE_KEYS)
    return Storage(**{key: table.text(key) for key in STORAGE_KEYS if key in table})


def _servers(table: Table) -> Servers:
    table.only(*SERVER_KEYS)
    limits: dict[str, float] = {
        key: table.integer(key) if key in WHOLE else table.number(key) for key in LIMIT_KEYS if key in table
    }
    minutes = table.integer("idle_minutes") if "idle_minutes" in table else 60
    return Servers(limits, minutes, _config(table))
