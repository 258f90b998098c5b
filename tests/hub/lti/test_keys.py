"""The tool's keys: made once, for one pair of eyes, changed without a gap, and published without their secret."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import httpx
import jwt
import pytest
from starlette.applications import Starlette

from autograder.errors import AuthorError, PlatformError
from course.tree import STATE
from hub.exchange.exchange import Exchange
from hub.lti.keys import FILE, ToolKeys, prepare, rotate, tool_keys
from hub.lti.routes import PATH, lti_routes
from tests.hub.exchange.conftest import hub, service
from tests.hub.exchange.serving import Service

__all__ = ["hub", "service"]


def names(keys: ToolKeys) -> list[str]:
    return [each.kid for each in keys.keys]


def test_the_first_use_makes_one_for_its_owner_alone(tmp_path: Path) -> None:
    made = tool_keys(tmp_path)
    assert names(tool_keys(tmp_path)) == names(made)
    assert (tmp_path / STATE / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / STATE).iterdir() if path.name.startswith(".")] == []


def test_two_at_once_make_one(tmp_path: Path) -> None:
    found: list[ToolKeys] = []
    threads = [threading.Thread(target=lambda: found.append(tool_keys(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.signing.kid for each in found}) == 1


def test_a_key_is_published_before_and_after_it_signs(tmp_path: Path) -> None:
    with pytest.raises(AuthorError, match="--prepare"):
        rotate(tmp_path)
    first = tool_keys(tmp_path).signing.kid
    prepared = prepare(tmp_path)
    assert prepared.signing.kid == first
    assert len(prepared.keys) == 2
    assert names(prepare(tmp_path)) == names(prepared)  # one is enough
    rotated = rotate(tmp_path)
    assert rotated.signing.kid == prepared.keys[-1].kid
    assert names(rotated) == names(prepared)
    assert rotated.prepared is None
    later = prepare(tmp_path)
    assert first not in names(later)
    assert len(later.keys) == 2


def test_an_assertion_verifies_by_the_published_set(tmp_path: Path) -> None:
    keys = tool_keys(tmp_path)
    token = jwt.encode({"iss": "x"}, keys.signing.private, "RS256", headers={"kid": keys.signing.kid})
    (published,) = jwt.PyJWKSet.from_dict(dict(keys.jwks())).keys
    assert jwt.decode(token, published, ["RS256"]) == {"iss": "x"}
    assert published.key_id == keys.signing.kid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"signing": "x", "keys": []}',
        '{"signing": "x", "keys": ["y"]}',
        '{"signing": 1, "keys": [7]}',
    ],
)
def test_a_damaged_file_is_told_without_its_words(exchange: Exchange, text: str) -> None:
    file = exchange.course_dir / STATE / FILE
    file.write_text(text)
    with pytest.raises(PlatformError, match="damaged"):
        tool_keys(exchange.course_dir)


def test_anybody_may_read_the_public_keys_and_nothing_else(exchange: Exchange) -> None:
    prepare(exchange.course_dir)
    app = Starlette(routes=lti_routes(exchange))

    async def ask(method: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as anybody:
            return await anybody.request(method, PATH)

    assert asyncio.run(ask("POST")).status_code == 405
    answer = asyncio.run(ask("GET"))
    assert answer.status_code == 200
    assert [set(each) for each in answer.json()["keys"]] == [{"kty", "e", "n", "kid", "alg", "use"}] * 2
    for pem in json.loads((exchange.course_dir / STATE / FILE).read_text())["keys"]:
        assert not [line for line in pem.splitlines()[1:-1] if line in answer.text]


@pytest.mark.slow
def test_the_running_service_gives_them_to_anybody(service: Service) -> None:
    with service.client() as anybody:
        answer = anybody.get(PATH)
        with_a_wrong_token = anybody.get(PATH, headers={"Authorization": "token nobodys-token"})
    assert answer.json() == with_a_wrong_token.json() == tool_keys(service.course_dir).jwks()
