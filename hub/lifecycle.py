"""Starts, stops and looks at a hub on this machine.

Contract: `start` returns when the hub answers, or raises with the end of its log. `stop` ends the hub,
the proxy and the course service, and users' servers unless they are to stay. Each is safe to run twice.
A hub is told from other processes by its number and its start time, kept in <state>/hub.json.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.errors import PlatformError
from course.gradebook import FILE as GRADEBOOK_FILE
from hub import proxy
from hub.exchange.places import DATABASE_FILE, STORAGE_FILE, note_place
from hub.settings import PACKAGES, HubSettings
from hub.spawner.processes import Process, is_running, start_time

START_SECONDS, STOP_SECONDS, POLL_SECONDS = 120.0, 40.0, 0.1
LOG, PID = "hub.log", "hub.json"
LOG_TAIL = 15

Told = Callable[[str], None]


@dataclass(frozen=True)
class HubStatus:
    """``servers``: users whose server runs. ``healthy``: the hub and the course service answer."""

    running: bool
    healthy: bool
    url: str
    pid: int | None
    servers: int
    state: str


def start(settings: HubSettings, say: Told) -> None:
    """Starts the hub, unless it runs. ``say`` is told each step."""
    with _alone(settings.state):
        if running(settings) is not None:
            say("the hub runs already")
            return
        _require_free(settings)
        if not proxy.is_installed():
            say("installing the proxy (once)")
            proxy.install()
        note_places(settings)
        say("starting JupyterHub")
        hub = _launch(settings)
        (settings.state / PID).write_text(json.dumps(asdict(hub)))
        _wait_until_it_answers(settings, hub)


def stop(settings: HubSettings, say: Told, *, keep_servers: bool = False) -> bool:
    """Stops the hub; whether there was one."""
    with _alone(settings.state):
        hub = running(settings)
        if hub is not None:
            say("stopping JupyterHub")
            _end(hub)
            if not _within(STOP_SECONDS, lambda: not is_running(hub)):
                raise PlatformError(f"the hub (process {hub.pid}) does not end; see {settings.state / LOG}")
        (settings.state / PID).unlink(missing_ok=True)
        if not keep_servers:
            _stop_servers(settings, say)
        return hub is not None


def status(settings: HubSettings) -> HubStatus:
    hub = running(settings)
    return HubStatus(
        running=hub is not None,
        healthy=hub is not None
        and _answers(settings, "hub/health")
        and _answers(settings, "services/course/health"),
        url=settings.url,
        pid=hub.pid if hub else None,
        servers=len(keepers(settings)),
        state=str(settings.state),
    )


def running(settings: HubSettings) -> Process | None:
    """The hub's process, where it runs."""
    try:
        known = json.loads((settings.state / PID).read_text())
        hub = Process(int(known["pid"]), int(known["started"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return hub if is_running(hub) else None


def keepers(settings: HubSettings) -> tuple[Process, ...]:
    """The keepers of the users' servers that run."""
    found = []
    for file in sorted((settings.state / "servers").glob("*/keeper.json")):
        try:
            keeper = Process(*json.loads(file.read_text()))
        except (ValueError, TypeError, FileNotFoundError):
            continue
        if is_running(keeper):
            found.append(keeper)
    return tuple(found)


def note_places(settings: HubSettings) -> None:
    """Tells commands that are given the course directory alone where the hub keeps things."""
    storage = settings.storage
    for file, url in (
        (GRADEBOOK_FILE, storage.gradebook_database),
        (DATABASE_FILE, storage.exchange_database),
        (STORAGE_FILE, storage.exchange_files),
    ):
        note_place(settings.course_dir, file, url)


def _launch(settings: HubSettings) -> Process:
    config = Path(__file__).with_name("jupyterhub_config.py")
    log = os.open(settings.state / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        started = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "hub.lean", "jupyterhub", "--config", str(config)],
            cwd=PACKAGES,
            env={**os.environ, "MLSYS_HUB_STATE": str(settings.state)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    return Process(started.pid, start_time(started.pid))


def _wait_until_it_answers(settings: HubSettings, hub: Process) -> None:
    def ready() -> bool:
        return not is_running(hub) or (
            _answers(settings, "hub/health") and _answers(settings, "services/course/health")
        )

    if _within(START_SECONDS, ready) and is_running(hub):
        return
    log = settings.state / LOG
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:])
    _end(hub)
    raise PlatformError(f"the hub did not come up; the end of {log}:\n{tail}")


def _end(process: Process) -> None:
    """SIGTERM for it, where it still runs."""
    with suppress(ProcessLookupError):
        if is_running(process):
            os.kill(process.pid, signal.SIGTERM)


def _answers(settings: HubSettings, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"{_local(settings)}{path}", timeout=5) as answer:  # noqa: S310 - http to ourselves
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _local(settings: HubSettings) -> str:
    host = "127.0.0.1" if settings.ip in ("", "0.0.0.0") else settings.ip  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.port}/"


def _require_free(settings: HubSettings) -> None:
    try:
        socket.create_server((settings.ip, settings.port)).close()
    except OSError as error:
        raise PlatformError(
            f"{settings.ip}:{settings.port} can't be listened on ({error.strerror}); end what listens there,"
            f" or change `port` in {settings.state / 'hub.toml'}"
        ) from error


def _stop_servers(settings: HubSettings, say: Told) -> None:
    left = keepers(settings)
    if left:
        say(f"stopping {len(left)} user server{'s' if len(left) > 1 else ''}")
    for keeper in left:
        _end(keeper)
    _within(STOP_SECONDS, lambda: not any(is_running(each) for each in left))


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One start or stop at a time."""
    fd = os.open(state / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise PlatformError(f"another mlsys up or down is at work in {state}; wait for it") from error
    finally:
        os.close(fd)
