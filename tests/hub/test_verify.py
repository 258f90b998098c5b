"""The three assignments are proved: every planted mistake gets its mark, every right way full marks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from autograder.judge import RaceKind
from course.reader import read_course
from course.steadiness import Steadiness
from course.verify import Claim, Proof, Row
from hub.cli.author import record, show
from tests.hub.command import mlsys


@pytest.mark.slow
@pytest.mark.lane
@pytest.mark.timeout(1800)
def test_every_case_of_every_assignment_is_proved() -> None:
    process = mlsys("verify", "--repeats", "1", "--json")
    rows = [json.loads(line) for line in process.stdout.splitlines()]
    refuted = [(row["assignment"], row["name"], row["reason"]) for row in rows if row["proof"] != "proved"]
    assert not refuted
    assert process.returncode == 0
    for assignment in (entry.id for entry in read_course().entries):
        claims = [row["claim"] for row in rows if row["assignment"] == assignment]
        assert claims.count("wrong") >= 10
        assert claims.count("right") >= 3


def test_the_table_says_how_steady_each_race_was(capsys: pytest.CaptureFixture[str]) -> None:
    steady = Steadiness(
        *("check-peak-speed", "peak", RaceKind.SPEED, 9, 0.0714, 0.043, 28, 1.0, (3.0,), 0, 1e-6),
        overhead=0.154, nearest=0.03, distance=1.38,
    )  # fmt: skip
    wrong = Row("12-benchmarking", Claim.WRONG, "peak-cumsum", 95, (95.0,) * 9, Proof.PROVED, "", 8.1, ())
    raced = replace(wrong, races=(steady,))
    show([raced], details=False)
    told = capsys.readouterr()
    for words in ("check-peak-speed", "0.0714", "4.3 %", "28", "100 %", "0 of 9", "5.4 %"):
        assert words in " ".join(told.out.split()), words
    assert "check-peak-speed: handing over takes 15 %" in " ".join(told.err.split())
    assert json.loads(json.dumps(record(raced)))["races"][0]["warnings"]
    show([wrong], details=False)
    assert "races" not in capsys.readouterr().out
