"""Who is whom: by ids alone, and nobody by guess."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.gradebook.gradetable import StudentKeys
from hub.lti.matching import match
from hub.lti.records import Participant

ADA = StudentKeys("ada", sis_id="0003", email="Ada@uni.test", full_name="Ada Lovelace")


def person(user_id: str, **keys: str) -> Participant:
    return Participant(user_id, learns=True, **keys)


@pytest.mark.parametrize(
    ("there", "logins"),
    [
        (person("u1"), {"u1": "ada"}),
        (person("u1", sis_id="0003"), {}),
        (person("u1", login="ADA"), {}),
        (person("u1", sis_id="0003", login="ada"), {"u1": "ada"}),
    ],
)
def test_each_kind_of_id_finds(there: Participant, logins: dict[str, str]) -> None:
    assert match([ADA], [there, person("u2")], logins).pairs == {"ada": there}


@pytest.mark.parametrize(
    "there",
    [
        person("u1", sis_id="3"),
        person("u1", full_name="Ada Lovelace"),
        person("ada"),
        person("u1", email="ada@uni.test"),
    ],
)
def test_a_name_a_number_or_an_address_is_no_id(there: Participant) -> None:
    found = match([ADA], [there], {})
    assert not found.pairs
    assert found.strangers == (there,)


def test_addresses_count_where_that_is_asked_for() -> None:
    there = person("u1", email="ada@UNI.test")
    assert match([ADA], [there], {}, by_email=True).pairs == {"ada": there}


def test_an_lms_id_of_an_imported_roster_finds() -> None:
    there = person("u1")
    assert match([replace(ADA, lms_id="u1")], [there], {}).pairs == {"ada": there}


@pytest.mark.parametrize(
    ("students", "people", "logins"),
    [
        ([ADA], [person("u1"), person("u2", sis_id="0003")], {"u1": "ada"}),
        ([ADA], [person("u1"), person("u2")], {"u1": "ada", "u2": "ada"}),
        ([ADA], [person("u1", sis_id="0003"), person("u2", sis_id="0003")], {}),
        ([ADA, StudentKeys("bob", sis_id="0003")], [person("u1", sis_id="0003")], {}),
        ([StudentKeys("ada"), StudentKeys("eve", login="ada")], [person("u1", login="ada")], {}),
    ],
)
def test_what_isnt_sure_is_nobody(
    students: list[StudentKeys], people: list[Participant], logins: dict[str, str]
) -> None:
    found = match(students, people, logins)
    assert not found.pairs
    assert set(found.doubtful) == {each.name for each in students}


def test_who_left_is_matched_and_no_stranger() -> None:
    gone = replace(person("u1", sis_id="0003"), learns=False)
    found = match([ADA], [gone, replace(person("u2"), learns=False)], {})
    assert found.pairs == {"ada": gone}
    assert found.strangers == ()


IDS = st.sampled_from(["", "1", "2", "3", "01"])
STUDENTS = st.lists(
    st.builds(StudentKeys, name=st.sampled_from("abcd"), sis_id=IDS, login=IDS, lms_id=IDS),
    max_size=4,
    unique_by=lambda each: each.name,
)
PEOPLE = st.lists(
    st.builds(
        Participant,
        user_id=st.sampled_from(["1", "2", "3", "4"]),
        learns=st.booleans(),
        sis_id=IDS,
        login=IDS,
    ),
    max_size=4,
    unique_by=lambda each: each.user_id,
)


@given(STUDENTS, PEOPLE, st.dictionaries(st.sampled_from(["1", "2", "3"]), st.sampled_from("abcd")))
def test_nobody_is_two_people(
    students: list[StudentKeys], people: list[Participant], logins: dict[str, str]
) -> None:
    found = match(students, people, logins)
    assert max(Counter(each.user_id for each in found.pairs.values()).values(), default=1) == 1
    assert not set(found.pairs) & set(found.doubtful)
    taken = {each.user_id for each in found.pairs.values()}
    assert {each.user_id for each in found.strangers} == {
        each.user_id for each in people if each.learns and each.user_id not in taken
    }
