"""The test platform does what was observed on real ones: each fact, asked with plain requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from hub.exchange.exchange import Exchange
from hub.lti.keys import tool_keys
from tests.hub.lti.gradebook import EXTENSION, INSTRUCTOR, Column
from tests.hub.lti.platform import ASSERTION, CLIENT, SCOPES, SCORE_TYPE, Platform
from tests.hub.lti.room import FIRST

NO_SUBMISSION: dict[str, Any] = {EXTENSION: {"new_submission": False}}
NOW = datetime(2027, 3, 1, 12, 0, 0, tzinfo=UTC)


class Tool:
    """Asks as any tool might, well or badly."""

    def __init__(self, exchange: Exchange, platform: Platform) -> None:
        self.platform = platform
        self.key = tool_keys(exchange.course_dir).signing
        self.column = Column(1, "Layers", 10, FIRST)
        platform.columns.append(self.column)
        self.http = httpx.Client(trust_env=False, timeout=60)

    def assertion(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": CLIENT, "sub": CLIENT, "aud": self.platform.token_url, "iat": now, "exp": now + 60}
        named = {**claims, "jti": f"{time.perf_counter_ns()}", **changes}
        kept = {name: value for name, value in named.items() if value is not None}
        return jwt.encode(kept, self.key.private, "RS256", headers={"kid": self.key.kid})

    def ask_token(self, assertion: str, scopes: str = " ".join(SCOPES)) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion,
            "scope": scopes,
        }
        return self.http.post(self.platform.token_url, data=form)

    def headers(self, kind: str = SCORE_TYPE) -> dict[str, str]:
        token = self.ask_token(self.assertion()).json()["access_token"]
        return {"Authorization": f"Bearer {token}", "Content-Type": kind}

    def score(self, given: float = 7, stamp: object = NOW, *, kind: str = SCORE_TYPE, **changes: Any) -> int:
        text = stamp.isoformat() if isinstance(stamp, datetime) else stamp
        body = {
            "userId": "1000",
            "scoreGiven": given,
            "scoreMaximum": 10,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "timestamp": text,
            **changes,
        }
        kept = {name: value for name, value in body.items() if value is not None}
        path, _, query = self.platform.item_id(self.column).partition("?")
        answer = self.http.post(f"{path}/scores?{query}", json=kept, headers=self.headers(kind))
        assert answer.text == "[]"
        return answer.status_code

    def shown(self) -> float | None:
        return self.column.of("1000").score


@pytest.fixture
def tool(exchange: Exchange, platform: Platform) -> Iterator[Tool]:
    made = Tool(exchange, platform)
    yield made
    made.http.close()


def test_a_good_assertion_gets_a_token_once(tool: Tool) -> None:
    assertion = tool.assertion()
    answer = tool.ask_token(assertion)
    assert answer.json()["expires_in"] == 3600
    assert set(answer.json()["scope"].split()) == set(SCOPES)
    assert tool.ask_token(assertion).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "x"},
        {"sub": "x"},
        {"aud": "https://x"},
        {"exp": 1},
        {"jti": None},
        {"exp": None},
        {"aud": None},
    ],
)
def test_a_wrong_assertion_gets_none(tool: Tool, changes: dict[str, Any]) -> None:
    assert tool.ask_token(tool.assertion(**changes)).json() == {"error": "invalid_client"}


def test_an_equal_or_older_second_is_a_conflict(tool: Tool) -> None:
    assert tool.score(7) == 200
    for stamp in (NOW, NOW + timedelta(milliseconds=900), NOW - timedelta(seconds=1)):
        assert tool.score(8, stamp) == 409
    assert tool.shown() == 7
    assert tool.score(8, NOW + timedelta(seconds=1)) == 200
    assert tool.shown() == 8


def test_a_future_time_blocks_later_scores(tool: Tool) -> None:
    assert tool.score(7, NOW + timedelta(days=1)) == 200
    assert tool.score(8, NOW + timedelta(hours=23)) == 409


def test_a_time_without_a_zone_is_the_servers(tool: Tool) -> None:
    assert tool.score(7) == 200
    assert tool.score(8, "2027-03-01T12:00:05") == 409


@pytest.mark.parametrize("progress", ["Pending", "PendingManual", "Failed", "NotReady", "FullyGradde"])
def test_any_other_progress_takes_the_grade_away_with_a_yes(tool: Tool, progress: str) -> None:
    assert tool.score(7) == 200
    assert tool.score(7, NOW + timedelta(seconds=1), gradingProgress=progress) == 200
    assert tool.shown() is None


def test_who_has_no_grades_there_is_refused(tool: Tool) -> None:
    assert tool.platform.people[0].roles == (INSTRUCTOR,)
    assert tool.score(userId="2") == 400
    assert tool.score(userId="nobody") == 400


@pytest.mark.parametrize(("given", "most", "shown"), [(12, 10, 10), (-3, 10, 0), (7, 20, 3.5)])
def test_scores_are_cut_and_rescaled(tool: Tool, given: float, most: float, shown: float) -> None:
    assert tool.score(given, scoreMaximum=most) == 200
    assert tool.shown() == shown


def test_a_score_without_a_maximum_is_refused(tool: Tool) -> None:
    assert tool.score(scoreMaximum=None) == 400


@pytest.mark.parametrize(
    ("kind", "status"),
    [("application/json", 400), (f"{SCORE_TYPE}; charset=utf-8", 200), ("text/plain", 400)],
)
def test_content_types(tool: Tool, kind: str, status: int) -> None:
    assert tool.score(kind=kind) == status


def test_an_overridden_grade_of_an_activity_stays_with_a_yes_and_of_a_column_of_the_tools_not(
    tool: Tool,
) -> None:
    tool.column.activity = True
    tool.column.override("1000", 11)
    assert tool.score(3) == 200
    assert tool.shown() == 11
    tool.column.activity = False
    assert tool.score(3, NOW + timedelta(seconds=1)) == 200
    assert tool.shown() == 3


def test_a_new_maximum_rescales_what_is_there(tool: Tool) -> None:
    tool.score(7)
    item = tool.platform.item_id(tool.column)
    tool.http.put(item, json={"scoreMaximum": 20, "label": "Layers"}, headers=tool.headers())
    assert tool.shown() == 14


def test_the_first_page_has_typographic_quotes_and_html(tool: Tool) -> None:
    tool.platform.switches.pages = 2
    raw = tool.http.get(tool.platform.memberships, headers=tool.headers()).headers.raw
    link = dict(raw)[b"link"].decode()
    assert "rel=“next”" in link
    assert "&amp;" in link


def test_the_query_is_a_part_of_each_columns_id(tool: Tool) -> None:
    (item,) = tool.http.get(tool.platform.lineitems, headers=tool.headers()).json()
    assert item["id"].endswith("/lineitem?type_id=2")
    without = item["id"].partition("?")[0]
    assert tool.http.get(f"{without}/results", headers=tool.headers()).status_code == 404


def test_scopes_are_kept_apart(tool: Tool) -> None:
    token = tool.ask_token(tool.assertion(), SCOPES[3]).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert tool.http.get(tool.platform.memberships, headers=headers).status_code == 403
    assert tool.http.get(tool.platform.memberships).status_code == 401


class TestCanvas:
    @pytest.fixture(autouse=True)
    def canvas(self, tool: Tool) -> None:
        tool.platform.switches.is_canvas = True

    def test_an_older_time_is_400_and_an_unknown_user_422(self, tool: Tool) -> None:
        assert tool.score(7) == 200
        assert tool.score(8, NOW - timedelta(seconds=1)) == 400
        assert tool.score(userId="nobody") == 422

    def test_each_push_is_an_attempt_unless_it_says_that_it_is_none(self, tool: Tool) -> None:
        assert tool.score(7) == 200
        later = NOW + timedelta(seconds=1)
        assert tool.score(8, later) == 422
        assert tool.score(8, later, **NO_SUBMISSION) == 200
        assert tool.column.of("1000").submissions == 1

    def test_pending_takes_the_score_away_and_pending_manual_keeps_it(self, tool: Tool) -> None:
        assert tool.score(7, **NO_SUBMISSION) == 200
        assert (
            tool.score(1, NOW + timedelta(seconds=1), gradingProgress="PendingManual", **NO_SUBMISSION) == 200
        )
        assert tool.shown() == 7
        assert tool.score(1, NOW + timedelta(seconds=2), gradingProgress="Pending", **NO_SUBMISSION) == 200
        assert tool.shown() is None

    def test_each_comment_is_one_more(self, tool: Tool) -> None:
        for second in range(2):
            tool.score(7, NOW + timedelta(seconds=second), comment="again", **NO_SUBMISSION)
        assert tool.column.of("1000").comments == ["again", "again"]
