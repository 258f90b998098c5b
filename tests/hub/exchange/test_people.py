"""By what the LMS knows people, and who is excused, on both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import StudentKeys
from hub.exchange.exchange import Exchange
from hub.exchange.people import end_excuse, excuse, excuses, keep_keys, student_keys
from hub.exchange.records import Excuse, Member, Role
from tests.hub.exchange.course import FIRST, SECOND, Hands, small_course
from tests.postgres import Postgres

ADA = StudentKeys("ada", "0012", "ada.l", "ada@uni.example", "70001", "Lovelace, Ada")
BOB = StudentKeys("bob", "0013", "bob.b", "bob@uni.example", "70002", "B, Bob")
HANDS = Hands()


@pytest.fixture(params=["sqlite", "postgres"])
def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exchange]:
    url = None
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(server.create())
    with Exchange(small_course(tmp_path), tmp_path, database=url, clock=HANDS) as opened:
        opened.enrol(
            [Member("ada", email="old@x", full_name="Ada"), Member("bob"), Member("alan", Role.INSTRUCTOR)]
        )
        yield opened


def test_the_lms_goes_before_the_roster_and_staff_are_left_out(exchange: Exchange) -> None:
    assert student_keys(exchange) == {
        "ada": StudentKeys("ada", email="old@x", full_name="Ada"),
        "bob": StudentKeys("bob"),
    }
    keep_keys(exchange.database, [ADA, replace(BOB, email="")])
    keep_keys(exchange.database, [BOB, StudentKeys("cy", sis_id="9")])
    assert student_keys(exchange, ["dan", "alan"]) == {
        "ada": ADA,
        "bob": BOB,
        "cy": StudentKeys("cy", sis_id="9"),
        "dan": StudentKeys("dan"),
    }


def test_one_id_of_two_people_keeps_nothing(exchange: Exchange) -> None:
    keep_keys(exchange.database, [ADA])
    with pytest.raises(AuthorError, match=r"ada and bob both have the login 'ada\.l'"):
        keep_keys(exchange.database, [StudentKeys("cy", sis_id="1"), replace(BOB, login="ADA.L")])
    assert set(student_keys(exchange)) == {"ada", "bob"}
    with pytest.raises(Exception, match="ada/x"):
        keep_keys(exchange.database, [replace(BOB, name="ada/x")])


def test_excuses_hold_until_they_end(exchange: Exchange) -> None:
    first = excuse(exchange, "ada", FIRST, by="alan", reason="ill")
    assert first == Excuse("ada", FIRST, "alan", HANDS.now, "ill")
    again = excuse(exchange, "ada", FIRST, by="alan", reason="still ill")
    other = excuse(exchange, "bob", SECOND, by="alan")
    assert excuses(exchange.database) == (again, other)
    assert end_excuse(exchange, "ada", FIRST)
    assert not end_excuse(exchange, "ada", FIRST)
    assert excuses(exchange.database) == (other,)
    with pytest.raises(AuthorError, match="nobody on the roster"):
        excuse(exchange, "eve", FIRST, by="alan")
