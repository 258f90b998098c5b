"""Logging in through a real JupyterHub."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.login.accounts import VALID, one_time_password
from tests.hub.login.conftest import INSTRUCTOR, Login

pytestmark = pytest.mark.slow
GOOD = "correct horse battery"


def test_an_account_made_by_the_administrator_logs_in(login: Login) -> None:
    login.accounts.add("ada", GOOD, one_time=False)
    assert not login.browser().log_in("ada", "wrong password")
    assert login.browser().log_in("ada", GOOD)
    assert login.browser().log_in("ada", GOOD)  # the account is the hub's own now


def test_a_one_time_password_opens_only_the_page_that_replaces_it(login: Login) -> None:
    word = one_time_password()
    login.accounts.add("ben", word, one_time=True)
    assert not login.browser().log_in("ben", word)
    browser = login.browser()
    browser.send("first-login", username="ben", one_time=word, password=GOOD, again=GOOD)
    assert browser.who() == "ben"
    assert login.browser().log_in("ben", GOOD)


def test_a_one_time_password_works_once(login: Login) -> None:
    word = one_time_password()
    login.accounts.add("cleo", word, one_time=True)
    login.browser().send("first-login", username="cleo", one_time=word, password=GOOD, again=GOOD)
    again = login.browser()
    said = again.send(
        "first-login", username="cleo", one_time=word, password="another good one", again="another good one"
    )
    assert said.status_code == 403
    assert "has been used" in said.text
    assert not login.browser().log_in("cleo", "another good one")


def test_an_old_one_time_password_is_refused(login: Login) -> None:
    word = one_time_password()
    login.accounts.add("dora", word, one_time=True, now=datetime.now(UTC) - VALID - timedelta(minutes=1))
    said = login.browser().send("first-login", username="dora", one_time=word, password=GOOD, again=GOOD)
    assert said.status_code == 403


@pytest.mark.parametrize(
    ("password", "again", "word"), [("short", "short", "at least"), (GOOD, GOOD + "!", "differ")]
)
def test_a_bad_new_password_leaves_the_one_time_password_good(
    login: Login, password: str, again: str, word: str
) -> None:
    once = one_time_password()
    login.accounts.add("eli", once, one_time=True)
    said = login.browser().send("first-login", username="eli", one_time=once, password=password, again=again)
    assert said.status_code in (400, 403)
    assert word in said.text
    browser = login.browser()
    browser.send("first-login", username="eli", one_time=once, password=GOOD, again=GOOD)
    assert browser.who() == "eli"


def test_nobody_signs_up_as_the_instructor(login: Login) -> None:
    login.browser().send(
        "signup", username=INSTRUCTOR, signup_password=GOOD, signup_password_confirmation=GOOD
    )
    assert not login.browser().log_in(INSTRUCTOR, GOOD)


def test_nobody_signs_up_as_somebody_on_the_roster(login: Login) -> None:
    word = one_time_password()
    login.accounts.add("fay", word, one_time=True)
    login.browser().send("signup", username="Fay", signup_password=GOOD, signup_password_confirmation=GOOD)
    assert not login.browser().log_in("fay", GOOD)
    browser = login.browser()
    browser.send(
        "first-login",
        username="fay",
        one_time=word,
        password="fay's own password",
        again="fay's own password",
    )
    assert browser.who() == "fay"


def test_who_signs_up_waits_for_the_instructors_approval(login: Login) -> None:
    login.accounts.add(INSTRUCTOR, GOOD, one_time=False)
    login.browser().send("signup", username="gus", signup_password=GOOD, signup_password_confirmation=GOOD)
    assert not login.browser().log_in("gus", GOOD)
    instructor = login.browser()
    assert instructor.log_in(INSTRUCTOR, GOOD)
    assert "gus" in instructor.client.get(login.url + "authorize").text
    instructor.send("authorize", username="gus", decision="approve")
    assert login.browser().log_in("gus", GOOD)
    instructor.send("authorize", username="gus", decision="lock")
    assert not login.browser().log_in("gus", GOOD)


def test_a_picture_in_a_notebook_approves_nobody(login: Login) -> None:
    """Attack: NativeAuthenticator's GET /authorize/NAME, sent by the instructor's own browser."""
    login.accounts.add(INSTRUCTOR, GOOD, one_time=False)
    login.browser().send("signup", username="mal", signup_password=GOOD, signup_password_confirmation=GOOD)
    instructor = login.browser()
    instructor.log_in(INSTRUCTOR, GOOD)
    for path in ("authorize/mal", "discard/mal", "authorize?username=mal&decision=approve"):
        instructor.client.get(login.url + path)
    forged = instructor.client.post(login.url + "authorize", data={"username": "mal", "decision": "approve"})
    assert forged.status_code == 403
    assert not login.browser().log_in("mal", GOOD)


def test_students_approve_nobody(login: Login) -> None:
    login.accounts.add("sam", GOOD, one_time=False)
    login.browser().send("signup", username="mate", signup_password=GOOD, signup_password_confirmation=GOOD)
    student = login.browser()
    assert student.log_in("sam", GOOD)
    assert student.send("authorize", username="mate", decision="approve").status_code in (403, 404)
    assert not login.browser().log_in("mate", GOOD)


@pytest.mark.parametrize("name", ["../x", "a b", "ï", "<script>", "x" * 70, "-dash", ".dot"])
def test_names_that_are_no_folders_are_refused(login: Login, name: str) -> None:
    said = login.browser().send(
        "signup", username=name, signup_password=GOOD, signup_password_confirmation=GOOD
    )
    assert "You have signed up" not in said.text


def test_guessing_is_stopped(login: Login) -> None:
    login.accounts.add("hal", GOOD, one_time=False)
    for _ in range(11):
        login.browser().send("login", username="hal", password="guess after guess")
    assert not login.browser().log_in("hal", GOOD)


def test_a_form_without_the_pages_token_is_refused(login: Login) -> None:
    browser = login.browser()
    said = browser.client.post(login.url + "first-login", data={"username": "ada"})
    assert said.status_code == 403
