"""How a user's Jupyter server speaks to the course service: with its own token, which no page sees.

Contract: addresses and token come from the environment that the spawner sets. Answers are passed on
as they come, line by line; a service that can't be reached is an ``Unreachable``, with words.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

CONNECT_SECONDS, SILENT_SECONDS = 15.0, 120.0
API = "api/v1"
MAX_WORDS = 64 * 1024


class Unreachable(Exception):
    """The course service gives no answer, or one that isn't its own; in words for a person."""


class Refusal(Exception):
    """The service said no: a status, and a JSON object with ``error`` and ``do``."""

    def __init__(self, status: int, said: dict[str, Any]) -> None:
        super().__init__(str(said.get("error", status)))
        self.status = status
        self.said = said


@dataclass(frozen=True)
class CourseLink:
    """The course service, as a user's server reaches it."""

    url: str
    token: str

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> CourseLink | None:
        """None for a server that belongs to no course."""
        url, token = environment.get("MLSYS_COURSE_URL"), environment.get("JUPYTERHUB_API_TOKEN")
        return cls(url.rstrip("/"), token) if url and token else None

    @property
    def page(self) -> str:
        """The course's pages as the user's browser finds them: on the hub's own address."""
        return f"{urlsplit(self.url).path}/"

    def check(self, assignment: str, name: str, data: bytes) -> AsyncIterator[dict[str, Any]]:
        """The news of a check. Raises Refusal, Unreachable."""
        return self._news(f"assignments/{quote(assignment, safe='')}/check", data, {"name": name})

    def autograde(self, assignment: str, student: str) -> AsyncIterator[dict[str, Any]]:
        """The news of grading one student's submission. Raises Refusal, Unreachable."""
        data = json.dumps({"students": [student]}).encode()
        return self._news(f"assignments/{quote(assignment, safe='')}/autograde", data, {})

    async def _news(self, path: str, data: bytes, params: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        try:
            async with self._post(f"{self.url}/{API}/{path}", data, params) as response:
                if response.status_code != httpx.codes.OK:
                    raise Refusal(response.status_code, await _said(response))
                async for line in response.aiter_lines():
                    yield json.loads(line)
        except (httpx.HTTPError, ValueError) as error:
            raise Unreachable(
                f"The course service can't be reached ({type(error).__name__}). Try again in a minute; if it "
                "stays so, tell your instructor."
            ) from error

    @asynccontextmanager
    async def _post(self, url: str, data: bytes, params: dict[str, str]) -> AsyncIterator[httpx.Response]:
        timeout = httpx.Timeout(CONNECT_SECONDS, read=SILENT_SECONDS)
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/octet-stream"}
        async with (
            httpx.AsyncClient(timeout=timeout, trust_env=False) as client,
            client.stream("POST", url, content=data, params=params, headers=headers) as response,
        ):
            yield response


async def _said(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a refusal; a page of some proxy's counts as nothing said."""
    said = bytearray()
    async for chunk in response.aiter_bytes():
        said += chunk
        if len(said) > MAX_WORDS:
            break
    try:
        found = json.loads(said)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return {
            "error": f"the course service answered {response.status_code}",
            "do": "Try again in a minute.",
        }
    return found


def slim(text: str, folder: str) -> tuple[str, bytes]:
    """(assignment, notebook without outputs); the folder's name is the assignment's where the notebook
    doesn't say. What is no notebook stays as it is: the service says what is wrong with it."""
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
        for cell in cells:
            if "outputs" in cell:
                cell["outputs"] = []
        named = notebook.get("metadata", {}).get("mlsys", {}).get("assignment")
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return folder, text.encode()
    return named if isinstance(named, str) and named else folder, json.dumps(notebook).encode()
