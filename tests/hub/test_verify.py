"""The three assignments are proved: every planted mistake gets its mark, every right way full marks."""

from __future__ import annotations

import json

import pytest

from course.reader import read_course
from tests.hub.command import mlsys


@pytest.mark.slow
def test_every_case_of_every_assignment_is_proved() -> None:
    process = mlsys("verify", "--repeats", "10", "--json")
    rows = [json.loads(line) for line in process.stdout.splitlines()]
    refuted = [(row["assignment"], row["name"], row["reason"]) for row in rows if row["proof"] != "proved"]
    assert not refuted
    assert process.returncode == 0
    for assignment in (entry.id for entry in read_course().entries):
        claims = [row["claim"] for row in rows if row["assignment"] == assignment]
        assert claims.count("wrong") >= 10
        assert claims.count("right") >= 3
