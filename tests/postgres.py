"""A private PostgreSQL server for tests, with a fresh database for each test that asks for one.

Contract: ``postgres_url`` is a SQLAlchemy URL of an empty database that is gone after the test. The
server is started for the first test that needs it, listens on a unix socket that only its own user
and root can reach, and ends with the test run, also where that is killed. Tests are skipped with
a sentence where Debian's package ``postgresql`` isn't installed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

PACKAGE = "postgresql"
USER = "mlsys"
START_SECONDS = 240
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
}


@dataclass(frozen=True)
class Postgres:
    """A running server; ``folder`` holds its socket."""

    folder: Path

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{USER}@/{name}?host={self.folder}"

    def create(self, template: str = "template1") -> str:
        """The name of a new database, empty or a copy of ``template``."""
        name = f"test_{uuid.uuid4().hex}"
        self._say(sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, template)
        return name

    def drop(self, name: str) -> None:
        self._say(sql.SQL("DROP DATABASE {} WITH (FORCE)"), name)

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user=USER, dbname=name, autocommit=True)

    def _say(self, statement: sql.SQL, *names: str) -> None:
        with self.connect() as connection:
            connection.execute(statement.format(*map(sql.Identifier, names)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The run's own server. Skips where PostgreSQL isn't installed."""
    programs = _programs()
    if programs is None:
        pytest.skip(f"PostgreSQL's server isn't installed (Debian's package {PACKAGE})")
    folder = Path(tempfile.mkdtemp(prefix="mlsys-pg-", dir="/tmp"))  # a socket's path is short
    try:
        _own(folder)
        _initdb(programs, folder)
        process = _start(programs, folder)
        try:
            _await(process, Postgres(folder))
            yield Postgres(folder)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty database of the test's own."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


def _programs() -> Path | None:
    """The folder of the newest server's programs."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted(versions, key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    folder = Path(on_path).resolve().parent if on_path else None
    return folder if folder and (folder / "postgres").is_file() else None


def _dropped() -> list[str]:
    """What starts a command as an ordinary user, for PostgreSQL refuses root, and ends it with us."""
    tied = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() != 0:
        return [*tied, "--"]
    user = _ordinary_user()
    return [*tied, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _ordinary_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _own(folder: Path) -> None:
    if os.geteuid() == 0:
        user = _ordinary_user()
        os.chown(folder, user.pw_uid, user.pw_gid)


def _initdb(programs: Path, folder: Path) -> None:
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", f"--username={USER}"]
    command = [*_dropped(), str(programs / "initdb"), *options, "-D", str(folder / "data")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _start(programs: Path, folder: Path) -> subprocess.Popen[bytes]:
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *settings]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([*_dropped(), *command], cwd=folder, stdout=log, stderr=log)


def _await(process: subprocess.Popen[bytes], server: Postgres) -> None:
    """Returns when the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError as error:
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = (server.folder / "log").read_text(encoding="utf-8", errors="replace")
                raise AssertionError(f"PostgreSQL doesn't answer: {error}\n{log}") from error
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # a fast shutdown: connections are closed, nothing is waited for
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(30)
