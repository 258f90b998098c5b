"""A real JupyterHub with the login under test, and no servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from hub.login.accounts import Accounts
from hub.settings import PACKAGES
from tests.hub.bare import running

INSTRUCTOR = "ines"
CONFIG = """
from hub.configure import _login, _roles
from hub.settings import HubSettings
settings = HubSettings(Path("{state}"), Path("course.toml"), Path("{state}"), ("{instructor}",), port={port})
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
    templates = PACKAGES / "hub" / "login" / "templates"
    accounts = Accounts(state)
    with running(state, CONFIG, instructor=INSTRUCTOR, templates=templates) as url:
        made = Login(url, accounts)
        yield made
        for browser in made.browsers:
            browser.client.close()
