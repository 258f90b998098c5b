"""A real JupyterHub with the login under test, and no servers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from hub import proxy
from hub.configure import free_port
from hub.login.accounts import Accounts
from hub.settings import PACKAGES

INSTRUCTOR = "ines"
CONFIG = """
from hub import proxy
from hub.configure import _login, _roles, free_port
from hub.settings import HubSettings
from pathlib import Path
settings = HubSettings(Path("{state}"), Path("course.toml"), Path("{state}"), ("{instructor}",), port={port})
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", free_port()
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{{free_port()}}"
c.ConfigurableHTTPProxy.command = proxy.command()
c.ConfigurableHTTPProxy.pid_file = "{state}/proxy.pid"
c.JupyterHub.db_url = "sqlite:///{state}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{state}/cookie"
c.JupyterHub.template_paths = ["{templates}"]
_login(c, settings)
c.Authenticator.admin_users = {{"{instructor}"}}
"""


@dataclass(frozen=True)
class Login:
    """``url`` ends in /hub/."""

    url: str
    accounts: Accounts
    browsers: list[Browser] = field(default_factory=list)

    def browser(self) -> Browser:
        self.browsers.append(Browser(self.url))
        return self.browsers[-1]


class Browser:
    """Cookies and forms as a browser has them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(follow_redirects=True, timeout=30)

    def send(self, page: str, **form: str) -> httpx.Response:
        """Opens the page, then sends its form."""
        self.client.get(self.url + page)
        fields = {"_xsrf": self.client.cookies.get("_xsrf", path="/hub/") or "", **form}
        return self.client.post(self.url + page, data=fields)

    def log_in(self, name: str, password: str) -> bool:
        self.send("login", username=name, password=password)
        return self.who() == name

    def who(self) -> str | None:
        """Who the hub says is logged in."""
        answer = self.client.get(self.url + "home", follow_redirects=False)
        found = re.search(r'user: "([^"]*)"', answer.text)
        return found.group(1) if answer.status_code == 200 and found else None


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    state = tmp_path_factory.mktemp("hub")
    proxy.install()
    port = free_port()
    config = state / "config.py"
    templates = PACKAGES / "hub" / "login" / "templates"
    config.write_text(CONFIG.format(state=state, port=port, instructor=INSTRUCTOR, templates=templates))
    accounts = Accounts(state)
    with (state / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=PACKAGES,
            stdout=log,
            stderr=log,
            env=os.environ,
        )
    with process:
        try:
            url = f"http://127.0.0.1:{port}/hub/"
            _until_it_answers(url, process)
            made = Login(url, accounts)
            yield made
            for browser in made.browsers:
                browser.client.close()
        finally:
            process.terminate()


def _until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the hub ended"
        try:
            if httpx.get(url + "health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the hub never answered")
