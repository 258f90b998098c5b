"""A course service, a real JupyterLab with our folders, and a browser."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from course.release import release
from hub.configure import free_port
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role
from hub.lab import HERE, environment
from hub.service import ServiceSettings, create_app
from tests.course.sample import COURSE, Sample
from tests.hub.checks.conftest import ID, FakeIdentity, Released
from tests.hub.checks.serving import serving

PREFIX = "/services/course/"
TOKEN = "of-the-browser"
START_SECONDS = 240.0


def during_term() -> datetime:
    """While the sample's assignment is open."""
    return datetime(2027, 2, 3, 12, tzinfo=UTC)


@dataclass
class Service:
    """A course service that takes everybody's name as their token."""

    url: str
    released: Released


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("lab")
    released = Released(Sample(root / "sample"), root / "home" / "course")
    released.course_dir.mkdir(parents=True)
    release(released.course, released.course_dir)
    settings = ServiceSettings(PREFIX, "", root / "sample" / COURSE, released.course_dir)
    with Exchange(released.course, released.course_dir, clock=during_term) as exchange:
        exchange.enrol([Member("staff", Role.INSTRUCTOR)])
        exchange.release(ID)
        identity = FakeIdentity({"staff": Member("staff", Role.INSTRUCTOR)})
        with serving(create_app(settings, exchange, identity)) as address:
            yield Service(address + PREFIX.rstrip("/"), released)


@dataclass
class Lab:
    """A user's JupyterLab."""

    url: str
    home: Path
    service: Service

    def write(self, path: str, data: bytes) -> None:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def open(self, page: Page, path: str = "") -> None:
        """Shows JupyterLab, with this file open in it."""
        where = f"tree/{path}" if path else ""
        page.goto(f"{self.url}lab/{where}?token={TOKEN}&reset")
        page.locator("#jp-top-panel").wait_for()


@contextlib.contextmanager
def running_lab(service: Service, home: Path, role: Role, user: str, **settings: str) -> Iterator[Lab]:
    """JupyterLab as a user of this role has it, but for the box."""
    port = free_port()
    home.mkdir(parents=True, exist_ok=True)
    words = ["--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--allow-root"]
    words += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home}"]
    env = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(HERE.parents[1]),
        **environment(role, str(HERE)),
        "MLSYS_COURSE_URL": service.url,
        "JUPYTERHUB_API_TOKEN": user,
        **settings,
    }
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words], cwd=home, env=env, stdout=log, stderr=log
        )
        try:
            lab = Lab(f"http://127.0.0.1:{port}/", home, service)
            await_answer(f"{lab.url}api?token={TOKEN}", process)
            yield lab
        finally:
            process.terminate()
            process.wait(120)


def await_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("JupyterLab didn't start")


@pytest.fixture(scope="session")
def student(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(service, tmp_path_factory.mktemp("student"), Role.STUDENT, "ama") as lab:
        yield lab


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    made = context.new_page()
    made.set_default_timeout(60_000)
    yield made
    context.close()
