"""A launch through the real authenticator in a real JupyterHub: who comes in is known, and so is the way back."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from course.reader import read_course
from course.tree import STATE
from hub.exchange.exchange import Exchange
from hub.lti.keys import FILE, tool_keys
from hub.lti.launches import Launches
from hub.lti.records import Launch, Person
from tests.hub.bare import running
from tests.hub.command import ROOT
from tests.hub.exchange.serving import COURSE
from tests.hub.lti.platform import CLIENT, CONTEXT, DEPLOYMENT, LINK, Platform, class_of
from tests.hub.lti.room import Room, grade

pytest.importorskip("ltiauthenticator.lti13.auth", reason="the extra 'deploy' isn't installed")
pytestmark = pytest.mark.slow

CONFIG = """
from hub.settings import HubSettings
settings = HubSettings(Path("{state}"), Path("{state}/course.toml"), Path("{state}/course"), ("ines",), port={port})
exec(compile(Path("{state}/lti.py").read_bytes(), "lti.py", "exec"), {{"c": c, "settings": settings}})
"""


def filled_in(platform: Platform) -> str:
    """hub/deploy/login/lti.py as an administrator fills it in."""
    text = (ROOT / "hub" / "deploy" / "login" / "lti.py").read_text()
    for before, after in (
        ("https://canvas.example.edu", platform.url),
        ("https://canvas.instructure.com", platform.url),
        ("10000000000001", CLIENT),
        ("/api/lti/authorize_redirect", "/auth"),
        ("/api/lti/security/jwks", "/jwks"),
        ("/login/oauth2/token", "/token"),
        ('uri_scheme = "https"', 'uri_scheme = "http"'),
    ):
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    (folder / "course").mkdir()
    (folder / "course.toml").write_text(COURSE)
    return folder


@pytest.fixture(scope="module")
def platform(state: Path) -> Iterator[Platform]:
    keys = tool_keys(state / "course").jwks()
    with Platform(lambda: keys, class_of(3)) as started:
        yield started


@pytest.fixture(scope="module")
def hub(state: Path, platform: Platform) -> Iterator[str]:
    """Its address, which ends in /hub/."""
    (state / "lti.py").write_text(filled_in(platform))
    with running(state, CONFIG, "--debug") as url:
        platform.redirect_uri = f"{url}lti13/oauth_callback"
        yield url


def launch(hub: str, platform: Platform, number: int) -> httpx.Response:
    """What a browser does when somebody opens the tool: login, platform, form, and where that leads."""
    with httpx.Client(timeout=30) as browser:
        begun = browser.post(f"{hub}lti13/oauth_login", data=platform.initiation(platform.people[number]))
        assert begun.status_code == 302
        page = browser.get(begun.headers["location"])
        fields = {
            name: html.unescape(value)
            for name, value in re.findall(r'<input name="(\w+)" value="([^"]*)">', page.text)
        }
        return browser.post(platform.redirect_uri, data=fields)


def known(state: Path) -> tuple[tuple[Launch, ...], dict[str, str]]:
    with Exchange(read_course(state / "course.toml"), state / "course") as exchange:
        launches = Launches(exchange.database)
        found = launches.launches()
        people: tuple[Person, ...] = launches.people(found[0].registration.issuer) if found else ()
        return found, {each.user_id: each.name for each in people}


def test_launches_fill_the_table_and_the_way_back_works(hub: str, platform: Platform, state: Path) -> None:
    for number in (1, 2, 0):  # two students, then the teacher
        assert launch(hub, platform, number).status_code == 302
    (found,), people = known(state)
    assert people == {"1000": "s0000", "1001": "s0001", "2": "ines"}
    registration = found.registration
    assert (registration.issuer, registration.client_id) == (platform.url, CLIENT)
    assert (found.deployment, found.context, found.resource_link) == (DEPLOYMENT, CONTEXT, LINK)
    assert found.lineitems == platform.lineitems
    assert found.memberships == platform.memberships
    assert registration.token_url == platform.token_url
    with Exchange(read_course(state / "course.toml"), state / "course") as exchange:
        report = Room(exchange, platform).push([grade("s0000", 7), grade("s0002", 3)])
    assert [each.fate.value for each in report.preview.rows] == ["new", "unmatched"]
    assert not report.failed


def test_a_launch_whose_token_another_signed_is_kept_nowhere(
    hub: str, platform: Platform, state: Path
) -> None:
    before = known(state)
    platform.signer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    try:
        assert launch(hub, platform, 3).status_code in (400, 401, 500)
    finally:
        platform.signer = platform.key
    assert known(state) == before


def test_our_part_of_the_hub_logs_no_key(hub: str, platform: Platform, state: Path) -> None:
    (pem,) = json.loads((state / "course" / STATE / FILE).read_text())["keys"]
    log = (state / "log").read_text()
    assert "[D " in log  # it is a debugging log
    assert not [line for line in pem.splitlines()[1:-1] if line in log]
