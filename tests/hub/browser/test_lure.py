"""Attack: an instructor is lured to a page on a student's server, which shares the hub's origin."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from autograder.sandbox.policy import can_change_uid
from hub.login.accounts import Accounts
from hub.spawner.gate import ARRIVAL, COOKIE
from hub.spawner.homes import home_of
from tests.hub.browser.conftest import PASSWORD, Hub, Person

pytestmark = pytest.mark.slow
HOSTILE = Path(__file__).parents[2] / "attacks" / "terminal" / "hostile_server.py"


def with_hostile_server(hub: Hub, student: Person) -> None:
    """The student's server is no Jupyter any more, and an accomplice has signed up."""
    Accounts(hub.state).add(student.name, PASSWORD, one_time=False)
    home = home_of(hub.state / "homes", student.name, own_uid=can_change_uid())
    (home / ".jupyter").mkdir()
    shutil.copy(HOSTILE, home / ".jupyter" / "jupyter_server_config.py")
    student.log_in()
    student.open("hub/spawn")
    student.page.wait_for_url(f"**/user/{student.name}/**")


def is_approved(hub: Hub, name: str) -> bool:
    with closing(sqlite3.connect(hub.state / "jupyterhub.sqlite")) as database:
        row = database.execute("SELECT is_authorized FROM users_info WHERE username = ?", (name,)).fetchone()
    return bool(row[0])


def expect_refused(page: Page, owner: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(f"This is the server of {owner}")
    assert "/hub/own" in page.url


def expect_ways_home(person: Person) -> None:
    """The hub's page of passes sends a browser below its own server, and nowhere else."""
    ask = person.context.request
    page = f"{person.hub.url}hub/own"
    right = ask.get(page, params={"next": f"/user/{person.name}/tree?a=1"}, max_redirects=0)
    assert (
        right.headers["location"]
        == f"/user/{person.name}/{ARRIVAL}?next=%2Fuser%2F{person.name}%2Ftree%3Fa%3D1"
    )
    for wrong in ("", "/hub/home", "//evil.example/", f"https://evil.example/user/{person.name}/"):
        assert ask.get(page, params={"next": wrong}, max_redirects=0).status == 403
    for wrong in (f"/user/{person.name}/../mallory/x", f"/user/{person.name}/\\evil"):
        assert ask.get(page, params={"next": wrong}, max_redirects=0).status == 403


def test_a_page_of_a_student_does_nothing_in_an_instructors_browser(
    hub: Hub, person: Callable[[str], Person]
) -> None:
    mallory, ines, eve = person("mallory"), person("ines"), person("eve")
    eve.sign_up()
    with_hostile_server(hub, mallory)
    expect(mallory.page).to_have_title("Lecture notes")
    ines.log_in()
    for address in ("user/mallory/lecture-notes", "user/mallory", "user/%6dallory/x", "user/mallory/api/x"):
        expect_refused(ines.open(address), "mallory")
    ines.picture("lured")
    assert ines.context.pages == [ines.page]  # the page would have opened one
    assert not is_approved(hub, "eve")
    # From pages of ours nothing of mallory's is to be had either.
    loaded = ines.page.evaluate("fetch('/user/mallory/x.js').then(answer => answer.status)")
    assert loaded == 403
    # On the way to the own server the browser is sent to the hub and back.
    ines.page.get_by_role("link", name="Open your own server").click()
    ines.page.wait_for_selector(".jp-Launcher")

    passes = [each for each in ines.context.cookies() if each["name"] == COOKIE]
    assert [(each["path"], each["httpOnly"], each["sameSite"]) for each in passes] == [
        ("/user/ines/", True, "Lax")
    ]
    expect_ways_home(ines)

    # Somebody else in the same browser: what mallory's login left opens nothing.
    mallory.open("hub/logout")
    mallory.name = "ines"
    mallory.log_in()
    expect_refused(mallory.open("user/mallory/lecture-notes"), "mallory")
    assert not is_approved(hub, "eve")
