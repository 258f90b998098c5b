"""What travels to a worker and back is rebuilt as it was, and what isn't a record is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import nbformat
import pytest

from autograder.batch import LocalBench
from autograder.batch.records import bundle_bytes, fault_bytes, read_bundle, read_result, result_bytes
from autograder.errors import PlatformError
from autograder.gradebook import GradedNotebook, source_version
from autograder.judge import Court, RaceKind, RaceResult
from autograder.repair import repair_submission
from tests.autograder.target import NAME, REFERENCE, STUB, assignment

SOURCES = {NAME: assignment(REFERENCE)}
RACE = RaceResult(
    0.8, 0.7, 0.9, 14, True, ((0.1, 0.2),), RaceKind.MEMORY, ((0.5, 2.0),), True, 0.01, (1.0, 2.0)
)


def files(answers: dict[str, str]) -> dict[str, bytes]:
    return {f"{NAME}.ipynb": nbformat.writes(assignment(answers)).encode()}


def judged(court: Court, given: dict[str, bytes]) -> tuple[GradedNotebook, ...]:
    return LocalBench(court).judge(SOURCES, given, {NAME: b"seed"})


@pytest.mark.parametrize("given", [files(REFERENCE), files(STUB), {f"{NAME}.ipynb": b"no notebook"}])
def test_a_judgement_is_the_same_on_the_other_side(court: Court, given: dict[str, bytes]) -> None:
    here = judged(court, given)
    there = read_result(result_bytes(here), SOURCES, given)
    assert [(each.name, each.problem, each.result) for each in there] == [
        (each.name, each.problem, each.result) for each in here
    ]
    assert [each.repaired and each.repaired.roles for each in there] == [
        each.repaired and each.repaired.roles for each in here
    ]


def test_a_race_is_the_same_on_the_other_side(court: Court) -> None:
    [one] = judged(court, files(REFERENCE))
    assert one.result is not None
    raced = replace(one.result, checks=(replace(one.result.checks[0], race=RACE), *one.result.checks[1:]))
    [there] = read_result(result_bytes((replace(one, result=raced),)), SOURCES, files(REFERENCE))
    assert there.result == raced


def test_a_bundle_is_the_same_assignment() -> None:
    assert source_version(read_bundle(bundle_bytes(SOURCES))) == source_version(SOURCES)


def test_a_fault_comes_with_its_words() -> None:
    with pytest.raises(PlatformError, match="no box to be had"):
        read_result(fault_bytes("no box to be had"), SOURCES, files(STUB))


def changed(text: bytes, **changes: object) -> bytes:
    said = json.loads(text)
    said["notebooks"][NAME].update(changes)
    return json.dumps(said).encode()


def test_what_is_no_result_is_refused(court: Court) -> None:
    given = files(REFERENCE)
    good = result_bytes(judged(court, given))
    check = json.loads(good)["notebooks"][NAME]["checks"][0]
    for bad in (
        b"",
        b"[]",
        b'"words"',
        b"{}",
        b'{"notebooks": {}}',
        b'{"notebooks": {"other": null}}',
        b"\xff",
        changed(good, checks=[{**check, "verdict": "FINE"}]),
        changed(good, checks=[{**check, "more": 1}]),
        changed(good, checks=3),
        changed(good, usage={"cpu": 1}),
        changed(good, cells=[{"index": "x", "status": "OK", "outputs": []}]),
    ):
        with pytest.raises(PlatformError, match="same version"):
            read_result(bad, SOURCES, given)


def test_a_worker_that_could_not_read_what_can_be_read_is_a_fault() -> None:
    text = json.dumps({"notebooks": {NAME: None}}).encode()
    assert repair_submission(SOURCES, files(REFERENCE))
    with pytest.raises(PlatformError, match="read it otherwise"):
        read_result(text, SOURCES, files(REFERENCE))


def test_a_result_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.batch.records.MOST_RECORD", 10)
    with pytest.raises(PlatformError, match="bytes"):
        read_result(fault_bytes("a fault of some words"), SOURCES, files(REFERENCE))
