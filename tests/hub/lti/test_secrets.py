"""No key, assertion or token is in anything that is written: logs at their most talkative, errors, reports, files."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.errors import PlatformError
from course.tree import STATE
from hub.lti.keys import FILE, tool_keys
from hub.lti.passback import Passback
from tests.hub.lti.faults import Fault, Kind, Rule, on
from tests.hub.lti.room import ONCE, Room


class Talk:
    """All that is said, by whatever way."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def hear(self, *found: object) -> None:
        self.parts += [str(each) for each in found] + [repr(each) for each in found]
        for each in found:
            if isinstance(each, BaseException):
                self.parts += traceback.format_exception(each)


@pytest.fixture
def talk() -> Talk:
    return Talk()


def secrets_of(room: Room) -> Iterator[str]:
    file = room.exchange.course_dir / STATE / FILE
    for pem in json.loads(file.read_text())["keys"]:
        yield from pem.splitlines()[1:-1]
    numbers = tool_keys(room.exchange.course_dir).signing.private.private_numbers()
    yield from (f"{number:{base}}" for number in (numbers.d, numbers.p, numbers.q) for base in "xd")
    yield from room.platform.tokens
    yield from room.platform.assertions
    yield from (each.split(".")[2] for each in room.platform.assertions)


def test_nothing_tells_a_secret(
    room: Room,
    talk: Talk,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "http.client", "sqlalchemy", "hub", "jwt"):
        caplog.set_level(logging.DEBUG, name)  # which is taken back
    talk.hear(room.push(room.grades(1, 2)))
    for fault in hostile(room):
        room.platform.breaks(fault)
        room.on(seconds=3)
        try:
            talk.hear(room.push(room.grades(3, 4), pace=ONCE))
        except PlatformError as error:
            talk.hear(error)
    room.platform.breaks(None)
    with room.open() as passback:
        assert isinstance(passback, Passback)
        passback.members()
        talk.hear(passback, passback.client, passback.client.tokens, vars(passback.client.tokens)["_token"])
        talk.hear(passback.client.wire, tool_keys(room.exchange.course_dir), room.registration)
        talk.hear(*passback.log.entries(), *passback.launches.launches())
    said = capfd.readouterr()
    written = "\n".join([*talk.parts, caplog.text, said.out, said.err, *files(tmp_path)])
    assert len(room.platform.assertions) > 5
    assert "urllib3" in caplog.text  # it did talk
    found = [secret for secret in secrets_of(room) if len(secret) > 16 and secret in written]
    assert not found, f"{len(found)} secrets were told, such as {found[0][:8]}…" if found else ""


def hostile(room: Room) -> list[Rule]:
    """Answers that repeat what was sent, as a careless platform's do."""

    def echo(status: int, end: str) -> Rule:
        def rule(count: int, method: str, path: str) -> Fault | None:
            told = " ".join([*reversed(room.platform.tokens), room.platform.assertions[-1]])
            body = json.dumps({"error": told, "error_description": told, "access_token": told}).encode()
            headers = {"Link": f"<{told}>", "Location": f"https://else.test/{told}"}
            fault = Fault(Kind.ANSWER, status, headers, body)
            return fault if path.endswith(end) else None

        return rule

    answers = [
        echo(status, end)
        for status in (200, 302, 400, 401, 403, 500)
        for end in ("/token", "/scores", "/results")
    ]
    broken = [on(end, Fault(kind)) for kind in (Kind.BEFORE, Kind.MIDWAY) for end in ("/token", "/scores")]
    return [*answers, *broken]


def files(folder: Path) -> Iterator[str]:
    """Whatever lies on the disk, but for the key's own file."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != FILE:
            yield path.read_bytes().decode("latin-1")


def test_a_key_that_others_can_read_is_refused(room: Room) -> None:
    file = room.exchange.course_dir / STATE / FILE
    file.chmod(0o640)
    with pytest.raises(PlatformError, match="chmod 600"):
        tool_keys(room.exchange.course_dir)
