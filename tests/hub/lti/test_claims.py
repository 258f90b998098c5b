"""From the claims of a launch to the table of launches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.errors import AuthorError, PlatformError
from hub.exchange.exchange import Exchange
from hub.lti.claims import AGS_CLAIM, CLAIM, NRPS_CLAIM, Seen, read_claims
from hub.lti.launches import Launches
from hub.lti.records import Registration

NOW = datetime(2027, 3, 1, tzinfo=UTC)
HOST = "lms.test"
OURS = Registration("https://lms.test", "client-1", "https://lms.test/token", (HOST,))


def token(**changes: Any) -> dict[str, Any]:
    return {
        "iss": "https://lms.test",
        "aud": "client-1",
        "sub": "u1",
        f"{CLAIM}deployment_id": "3",
        f"{CLAIM}context": {"id": "c1", "title": "Systems"},
        f"{CLAIM}resource_link": {"id": "r1"},
        AGS_CLAIM: {"scope": ["a", "b"], "lineitems": "https://lms.test/items"},
        NRPS_CLAIM: {"context_memberships_url": "https://lms.test/people"},
        **changes,
    }


def seen(**changes: Any) -> Seen:
    return read_claims(token(**changes), "ada", [OURS], NOW)


def test_a_launch_tells_the_way_back() -> None:
    found = seen()
    assert found.launch is not None and found.person is not None
    assert (found.launch.lineitems, found.launch.memberships) == (
        "https://lms.test/items",
        "https://lms.test/people",
    )
    assert (found.launch.deployment, found.launch.context, found.launch.resource_link) == ("3", "c1", "r1")
    assert found.launch.scopes == ("a", "b")
    assert (found.person.user_id, found.person.name) == ("u1", "ada")


@pytest.mark.parametrize(
    ("audience", "azp", "is_ours"),
    [
        ("client-1", None, True),
        (["client-1"], None, True),
        (["client-1", "client-2"], "client-1", True),
        (["client-1", "client-2"], "client-2", False),
        (["client-1", "client-2"], None, False),
        ("client-2", None, False),
        (7, None, False),
    ],
)
def test_only_the_tools_own_launches_are_kept(audience: object, azp: object, is_ours: bool) -> None:
    found = seen(aud=audience, azp=azp)
    assert (found.launch is not None) == is_ours
    assert seen(iss="https://else.test").launch is None


@pytest.mark.parametrize(
    "url", ["https://else.test/items", "http://lms.test/items", "javascript:x", "", 7, None, "x" * 9999]
)
def test_addresses_elsewhere_are_left_out(url: object) -> None:
    found = seen(**{AGS_CLAIM: {"lineitems": url, "lineitem": url}})
    assert found.launch is not None
    assert (found.launch.lineitems, found.launch.lineitem) == ("", "")
    assert found.launch.memberships


def test_a_launch_of_no_course_is_no_way_back() -> None:
    assert seen(**{f"{CLAIM}context": {}}).launch is None
    assert seen(**{AGS_CLAIM: None, NRPS_CLAIM: "x"}).launch is None
    assert seen(sub="").person is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@example({"aud": [[]]})
@example({"aud": ["client-1", {}], "azp": {}})
@given(st.dictionaries(st.sampled_from([*token()]), JSON))
def test_any_claims_are_read_without_a_fall(changes: dict[str, Any]) -> None:
    found = seen(**changes)
    assert found.launch is None or found.launch.registration == OURS


def test_a_newer_launch_replaces_what_it_tells_and_keeps_the_rest(exchange: Exchange) -> None:
    launches = Launches(exchange.database)
    launches.note(seen().launch, seen().person)
    later = read_claims(
        token(**{AGS_CLAIM: {"lineitems": "https://lms.test/new"}, NRPS_CLAIM: None}),
        "bob",
        [OURS],
        NOW + timedelta(1),
    )
    launches.note(later.launch, later.person)
    (kept,) = launches.launches()
    assert (kept.lineitems, kept.memberships, kept.scopes) == (
        "https://lms.test/new",
        "https://lms.test/people",
        ("a", "b"),
    )
    assert [each.name for each in launches.people(OURS.issuer)] == ["bob"]


def test_several_courses_are_a_choice(exchange: Exchange) -> None:
    launches = Launches(exchange.database)
    with pytest.raises(PlatformError, match="no launch"):
        launches.course()
    for name in ("c1", "c2"):
        launches.note(seen(**{f"{CLAIM}context": {"id": name, "title": "[red]T\x1b"}}).launch, None)
    with pytest.raises(AuthorError, match="--context") as raised:
        launches.course()
    assert "\x1b" not in str(raised.value)
    assert launches.course("c2").context == "c2"
    with pytest.raises(PlatformError, match="no launch of a course c3"):
        launches.course("c3")
    assert launches.forget("c2") == 1
    assert launches.course().context == "c1"


def test_links_of_one_course_are_one_way_back(exchange: Exchange) -> None:
    launches = Launches(exchange.database)
    launches.note(seen().launch, None)
    other = seen(**{f"{CLAIM}resource_link": {"id": "r2"}, AGS_CLAIM: None}).launch
    launches.note(other, None)
    found = launches.course()
    assert found.lineitems == "https://lms.test/items"
