"""The client asks again where that helps, and says in words what the service said."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from autograder.errors import PlatformError, SubmissionError
from hub.exchange.client import LONGEST_WAIT, TRIES, CourseClient

OK = {"course": "mls", "title": "Systems", "receipt_key": "", "member": {}}
ADA = {"name": "ada", "role": "student", "full_name": "", "email": ""}


class Answers:
    """A transport that gives the answers of a list; an error is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers: Iterator[httpx.Response | Exception] = iter(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> CourseClient:
        transport = httpx.MockTransport(self)
        return CourseClient("http://hub/services/course/", "t", transport=transport, sleep=self.slept.append)


def ok() -> httpx.Response:
    return httpx.Response(200, json={**OK, "member": ADA})


def test_a_service_that_comes_back_is_asked_again() -> None:
    gone = httpx.ConnectError("refused")
    answers = Answers(gone, httpx.ReadError("reset"), httpx.Response(503), httpx.Response(502), ok())
    with answers.client() as client:
        assert client.course().member.name == "ada"
    assert len(answers.asked) == 5
    assert answers.slept == sorted(answers.slept)
    assert {each.headers["Authorization"] for each in answers.asked} == {"token t"}
    assert str(answers.asked[0].url) == "http://hub/services/course/api/v1/course"


def test_a_service_that_stays_away_is_our_fault_in_the_end() -> None:
    answers = Answers(*[httpx.ConnectError("refused")] * TRIES)
    with answers.client() as client, pytest.raises(PlatformError, match="does not answer"):
        client.course()
    assert 10 < sum(answers.slept) < 60


def test_the_wait_that_the_service_asks_for_is_kept_within_reason() -> None:
    answers = Answers(
        httpx.Response(429, headers={"Retry-After": "3"}),
        httpx.Response(429, headers={"Retry-After": "86400"}),
        httpx.Response(429, headers={"Retry-After": "soon"}),
        ok(),
    )
    with answers.client() as client:
        client.course()
    assert answers.slept[0] == 3
    assert max(answers.slept) <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, SubmissionError), (404, SubmissionError), (422, SubmissionError), (500, PlatformError)],
)
def test_what_the_service_says_is_told(status: int, kind: type[Exception]) -> None:
    answers = Answers(httpx.Response(status, json={"error": "this is wrong", "do": "Do that."}))
    with answers.client() as client, pytest.raises(kind, match="this is wrong; Do that"):
        client.course()


@pytest.mark.parametrize("text", ["", "<html>", "[]", "3"])
def test_an_answer_that_is_none_is_our_fault(text: str) -> None:
    answers = Answers(httpx.Response(200, text=text))
    with answers.client() as client, pytest.raises(PlatformError, match="can't be read"):
        client.course()


@pytest.mark.parametrize("name", ["../../hub/api", "a/b", "a?b", "a#b", "%2e%2e"])
def test_a_name_stays_one_part_of_the_path(name: str) -> None:
    answers = Answers(httpx.Response(200, json={"files": []}))
    with answers.client() as client:
        client.fetch(name)
    path = answers.asked[0].url.raw_path.decode()
    assert path.startswith("/services/course/api/v1/assignments/") and path.endswith("/files")
    assert path.count("/") == 7


def test_names_that_a_path_would_swallow_are_refused() -> None:
    with Answers().client() as client:
        for name in ("", ".", ".."):
            with pytest.raises(SubmissionError, match="is no name"):
                client.fetch(name)


def test_outside_a_hub_there_is_a_word() -> None:
    with pytest.raises(PlatformError, match="MLSYS_COURSE_URL and JUPYTERHUB_API_TOKEN not set"):
        CourseClient.of_environment({})
