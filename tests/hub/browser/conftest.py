"""A real hub, started by `mlsys up`, and people who use it through Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from hub.configure import free_port
from hub.demo.hub import demo_course
from hub.settings import PACKAGES
from tests.browser import screenshot_folder

PASSWORD = "a password for the tests"
STEP_MS = 60_000


@dataclass(frozen=True)
class Hub:
    """A running hub. ``url`` ends in "/"."""

    state: Path
    url: str

    def mlsys(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command of the administrator's."""
        return mlsys(self.state, *arguments)


def mlsys(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli.app", *arguments],
        cwd=PACKAGES,
        env={**os.environ, "MLSYS_HUB_STATE": str(state), "MLSYS_COURSE_DIR": str(state / "course")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"mlsys {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    # Not pytest's folder: a unix socket's path is short.
    state = Path(tempfile.mkdtemp(prefix="mlsys-hub-"))
    port = free_port()
    course = demo_course(state)
    secret = state / "password"
    secret.write_text(PASSWORD)
    try:
        mlsys(
            state, "up", "--course", str(course), "--instructor", "ines",
            "--password-file", str(secret), "--port", str(port),
        )  # fmt: skip
        yield Hub(state, f"http://127.0.0.1:{port}/")
    finally:
        mlsys(state, "down")
        shutil.rmtree(state, ignore_errors=True)


@dataclass
class Person:
    """Somebody in front of a browser of their own."""

    name: str
    hub: Hub
    context: BrowserContext
    page: Page
    folder: Path
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.hub.url + path.lstrip("/"))
        return self.page

    def picture(self, what: str, *, full: bool = True) -> None:
        self.page.screenshot(path=self.folder / f"{what}.png", full_page=full)

    def sign_up(self) -> None:
        page = self.open("hub/signup")
        page.fill("#username_input", self.name)
        page.fill("#password_input", PASSWORD)
        page.fill("#password_confirmation_input", PASSWORD)
        page.click("#signup_submit")

    def log_in(self) -> None:
        page = self.open("hub/login")
        page.fill("#username_input", self.name)
        page.fill("#password_input", PASSWORD)
        page.click("#login_submit")
        page.wait_for_url("**/services/course/**")

    def first_login(self, one_time: str) -> None:
        page = self.open("hub/login")
        page.get_by_role("link", name="Set your own").click()
        page.fill("#username_input", self.name)
        page.fill("#one_time_input", one_time)
        page.fill("#password_input", PASSWORD)
        page.fill("#again_input", PASSWORD)
        page.click("#first_login_submit")

    def open_lab(self) -> Page:
        """JupyterLab in the same tab, whatever was open before forgotten."""
        page = self.open(f"user/{self.name}/lab?reset")
        if "/hub/" in page.url:
            self.open("hub/spawn")
            page.wait_for_url(f"**/user/{self.name}/**")
        page.wait_for_selector(".jp-Launcher")
        return page


@pytest.fixture(scope="module")
def person(hub: Hub, chromium: Browser) -> Iterator[Callable[[str], Person]]:
    """Makes people, each with cookies of their own."""
    contexts: list[BrowserContext] = []

    def make(name: str) -> Person:
        context = chromium.new_context(viewport={"width": 1360, "height": 900}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(STEP_MS)
        made = Person(name, hub, context, page, screenshot_folder())
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        return made

    yield make
    for context in contexts:
        context.close()
