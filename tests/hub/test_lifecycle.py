"""up, down and status, as an administrator types them, on a real hub."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hub.configure import free_port
from hub.lifecycle import keepers
from hub.settings import PACKAGES, read_secrets, read_settings
from tests.hub.login.conftest import Browser

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mlsys-up-"))
    yield folder / "hub"
    mlsys(folder / "hub", "down")
    shutil.rmtree(folder, ignore_errors=True)


def mlsys(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A relative path, as people type it.
    relative = os.path.relpath(state, PACKAGES)
    return subprocess.run(
        [sys.executable, "-m", "hub.cli.app", *arguments],
        cwd=PACKAGES,
        env={**os.environ, "MLSYS_HUB_STATE": relative},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def up(state: Path) -> dict[str, object]:
    """What status says of a demo hub that was just started."""
    done = mlsys(state, "up", "--demo", "--port", str(free_port()))
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("ines", "ada", "ben", "cleo"))
    return status(state)


def status(state: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(mlsys(state, "status", "--json").stdout)
    return found


def test_the_login_page_is_there(up: dict[str, object]) -> None:
    page = httpx.get(f"{up['url']}hub/login", timeout=30)
    assert page.status_code == 200
    assert "Machine Learning Systems" in page.text


def test_up_again_leaves_it_alone(state: Path, up: dict[str, object]) -> None:
    done = mlsys(state, "up", "--demo")
    assert done.returncode == 0
    assert "runs already" in done.stderr
    assert status(state)["pid"] == up["pid"]


def test_the_course_page_asks_for_a_login(up: dict[str, object]) -> None:
    answer = httpx.get(f"{up['url']}services/course/", timeout=30)
    assert answer.status_code == 302
    assert "/hub/api/oauth2/authorize" in answer.headers["location"]


def test_secrets_and_logins_are_the_owners_alone(state: Path, up: dict[str, object]) -> None:
    private = ("secrets.json", "hub.toml", "logins.json", "accounts.sqlite", "hub.log")
    assert {name: (state / name).stat().st_mode & 0o077 for name in private} == dict.fromkeys(private, 0)


def test_no_secret_stands_in_a_log(state: Path, up: dict[str, object]) -> None:
    log = (state / "hub.log").read_text()
    assert not [name for name, secret in read_secrets(state).items() if secret in log]


def test_a_service_that_dies_is_started_again(state: Path, up: dict[str, object]) -> None:
    service = next(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_service_of(entry, state)
    )
    os.kill(service, 9)
    with httpx.Client(transport=httpx.HTTPTransport(retries=3), timeout=30) as client:
        _until(lambda: client.get(f"{up['url']}services/course/health").status_code == 200)


def test_a_restart_of_the_hub_finds_users_servers_again(state: Path, up: dict[str, object]) -> None:
    password = dict(json.loads((state / "logins.json").read_text()))["ada"]
    browser = Browser(f"{up['url']}hub/")
    try:
        assert browser.log_in("ada", password)
        browser.client.get(f"{up['url']}hub/spawn")
        page = f"{up['url']}user/ada/lab"
        _until(lambda: "jupyter-config-data" in browser.client.get(page).text)
        keeper = keepers(read_settings(state))
        assert len(keeper) == 1
        assert mlsys(state, "down", "--keep-servers").returncode == 0
        assert status(state)["running"] is False
        assert mlsys(state, "up").returncode == 0
        assert "jupyter-config-data" in browser.client.get(page).text
        assert keepers(read_settings(state)) == keeper
    finally:
        browser.client.close()


def test_down_ends_everything_and_can_be_said_twice(state: Path, up: dict[str, object]) -> None:
    first, again = mlsys(state, "down"), mlsys(state, "down")
    assert (first.returncode, again.returncode) == (0, 0)
    assert "was not running" in again.stderr
    assert mlsys(state, "status").returncode == 1
    assert keepers(read_settings(state)) == ()
    with socket.create_server(("127.0.0.1", int(str(up["url"]).rsplit(":")[-1].strip("/")))):
        pass


def test_a_port_in_use_is_said(tmp_path: Path, state: Path, up: dict[str, object]) -> None:
    mlsys(state, "down")
    port = int(str(up["url"]).rsplit(":")[-1].strip("/"))
    with socket.create_server(("127.0.0.1", port)):
        done = mlsys(state, "up")
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "hub.toml" in done.stderr


def test_a_mistake_in_hub_toml_stops_up_with_file_and_line(state: Path, up: dict[str, object]) -> None:
    file = state / "hub.toml"
    good = file.read_text()
    try:
        file.write_text(good.replace("memory_mb", "memory_gb"))
        done = mlsys(state, "up")
    finally:
        file.write_text(good)
    assert done.returncode == 1
    assert f"{file}:" in done.stderr.replace("\n", "")


def test_commands_without_a_hub_say_what_to_do(tmp_path: Path) -> None:
    for command in ("down", "status"):
        done = mlsys(tmp_path, command)
        assert done.returncode == 2
        assert "mlsys up" in done.stderr


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.2)


def _is_service_of(entry: Path, state: Path) -> bool:
    try:
        command = (entry / "cmdline").read_bytes().split(b"\0")
        return b"hub.service" in command and str(state).encode() in (entry / "environ").read_bytes()
    except OSError:
        return False
