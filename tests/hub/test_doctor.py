"""mlsys doctor --timing: whether speed can be graded fairly here, with what to do where it can't."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from autograder.judge import RaceResult
from autograder.judge.calibration import Calibration
from autograder.sandbox import Check, HostReport, Status
from autograder.speed.timing import Fact, Fitness, TimingReport
from hub.cli import host
from hub.cli.app import app
from tests.hub.command import mlsys

QUIET = Fact("load", Fitness.OK, "0.10 over the last minute")
NOISY = Fact("lane's load", Fitness.DEGRADED, "with [red]backup[/] (40)", "it interrupts", "wait for it")
BROKEN = Fact("clock", Fitness.BAD, "jiffies", "too coarse", "boot with another")
GOOD = Calibration(RaceResult(1.0, 0.99, 1.01, 22, True, samples=((0.01, 0.01),)), 2.5)
SKEWED = Calibration(RaceResult(1.3, 1.2, 1.4, 22, True), 2.5)


class NoCourt:
    def __enter__(self) -> NoCourt:
        return self

    def __exit__(self, *ended: object) -> None:
        pass


class PaperHost:
    """A host that says what the test wants."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.facts: tuple[Fact, ...] = (QUIET,)
        self.calibration = GOOD
        self.isolates = True
        monkeypatch.setattr(host, "inspect_host", self.boxes)
        monkeypatch.setattr(host, "inspect_timing", lambda: TimingReport(self.facts))
        monkeypatch.setattr(host, "calibrate", lambda court: self.calibration)
        monkeypatch.setattr(host, "Court", NoCourt)

    def boxes(self) -> HostReport:
        return HostReport((Check("tools", Status.OK if self.isolates else Status.MISSING, "bwrap"),))


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> PaperHost:
    monkeypatch.setenv("COLUMNS", "160")
    return PaperHost(monkeypatch)


def test_quiet_host_measures_fairly(paper: PaperHost) -> None:
    result = CliRunner().invoke(app, ["doctor", "--timing"])
    assert result.exit_code == 0
    assert "calibration race" in result.stdout
    assert "This host can measure speed fairly." in result.stderr


def test_noise_that_the_race_can_bear_is_told_and_no_obstacle(paper: PaperHost) -> None:
    paper.facts = (QUIET, NOISY)
    result = CliRunner().invoke(app, ["doctor", "--timing"])
    assert result.exit_code == 0
    assert "do: wait for it" in result.stdout
    assert "[red]backup[/] (40)" in result.stdout, "a process's name is no markup"


def test_bad_fact_or_a_skewed_race_ends_in_a_code_and_what_to_do(paper: PaperHost) -> None:
    for paper.facts, paper.calibration in (((QUIET, BROKEN), GOOD), ((QUIET,), SKEWED)):
        result = CliRunner().invoke(app, ["doctor", "--timing"])
        assert result.exit_code == 2
        assert "bad" in result.stdout
        assert "do: " in result.stdout
        assert "speed is not graded on it" in result.stderr


def test_scripts_read_the_same(paper: PaperHost) -> None:
    paper.facts = (QUIET, BROKEN)
    result = CliRunner().invoke(app, ["doctor", "--timing", "--json"])
    assert result.exit_code == 2
    read = json.loads(result.stdout)
    assert read["fair"] is False
    assert [(each["name"], each["status"]) for each in read["checks"]] == [
        ("load", "ok"),
        ("clock", "bad"),
        ("calibration race", "ok"),
    ]
    assert read["race"]["samples"] == [[0.01, 0.01]]


def test_host_that_cannot_isolate_races_nothing(paper: PaperHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "calibrate", lambda court: pytest.fail("a race on a host without boxes"))
    paper.isolates = False
    result = CliRunner().invoke(app, ["doctor", "--timing"])
    assert result.exit_code == 2
    assert "can't isolate" in result.stderr


def test_without_the_option_nothing_is_timed(paper: PaperHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "inspect_timing", lambda: pytest.fail("timed"))
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0
    assert set(json.loads(result.stdout)) == {"can_isolate", "status", "checks"}


@pytest.mark.slow
@pytest.mark.lane
def test_this_host_gets_an_answer() -> None:
    for _ in range(2):  # as the platform asks: a host may be too busy for one race
        process = mlsys("doctor", "--timing", "--json")
        read = json.loads(process.stdout)
        if read["race"]:
            break
    assert process.returncode == (0 if read["fair"] else 2)
    assert read["checks"][-1]["name"] == "calibration race"
    assert read["race"] and read["race"]["pairs"] > 0, read["checks"][-1]
