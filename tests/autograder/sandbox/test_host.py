"""What a host can enforce, and that grading hears of what it can't."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from autograder.sandbox import Check, HostReport, HostUnfit, Status, host, inspect_host
from autograder.sandbox.policy import this_host

FINE = Check("a", Status.OK, "fine")
WEAK = Check("b", Status.DEGRADED, "weak", "means", "remedy")
GONE = Check("c", Status.MISSING, "gone", "means", "remedy")


def test_this_host_isolates_and_proves_it() -> None:
    report = inspect_host()
    wrong = [check for check in report.checks if check.status is Status.MISSING]
    assert wrong == []
    assert report.can_isolate
    proven = {check.name for check in report.checks}
    assert {"test box", *host._PROVEN} <= proven


def test_missing_thing_forbids_grading_and_a_weak_one_does_not() -> None:
    assert HostReport((FINE, WEAK)).can_isolate
    assert not HostReport((FINE, WEAK, GONE)).can_isolate
    assert HostReport((FINE, WEAK)).status is Status.DEGRADED
    assert HostReport((GONE, WEAK)).status is Status.MISSING


def test_report_of_nothing_is_no_permission() -> None:
    assert not HostReport(()).can_isolate


def test_report_can_be_written_as_json() -> None:
    read = json.loads(json.dumps(HostReport((FINE, GONE)).as_dict()))
    assert read["can_isolate"] is False
    assert read["checks"][1] == {
        "name": "c",
        "status": "missing",
        "found": "gone",
        "means": "means",
        "remedy": "remedy",
    }


def test_missing_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sandbox.policy._TOOL_PATH", "/nowhere")
    this_host.cache_clear()
    try:
        report = inspect_host()
        with pytest.raises(
            HostUnfit, match=r"not found: bwrap.*Install the packages bubblewrap and util-linux"
        ):
            this_host()
    finally:
        this_host.cache_clear()
    assert not report.can_isolate
    [tools] = [check for check in report.checks if check.name == "tools"]
    assert tools.remedy == "apt-get install bubblewrap util-linux"


def test_old_bubblewrap_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    old.chmod(0o755)
    monkeypatch.setattr("autograder.sandbox.policy._TOOL_PATH", f"{tmp_path}:{os.defpath}")
    [check] = host._bwrap_version()
    assert check.status is Status.MISSING
    assert "0.6.1" in check.found


def test_machine_without_a_filter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    report = inspect_host()
    assert not report.can_isolate
    assert "test box" not in {check.name for check in report.checks}


def test_probe_that_finds_a_hole_forbids_grading(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, words = host._probe(())
    assert answers is not None
    monkeypatch.setattr(host, "_probe", lambda canaries: ({**answers, "network": "eth0 is there"}, words))
    report = HostReport(tuple(host._trial()))
    assert not report.can_isolate
    assert [check.found for check in report.checks if check.status is Status.MISSING] == ["eth0 is there"]


def test_probe_sees_a_file_that_is_shown_to_it() -> None:
    """The probe's own sight is tested too: /usr is in every box."""
    answers, _ = host._probe(("/usr/bin/env",))
    assert answers is not None
    assert "/usr/bin/env" in answers["files"]
    assert {name for name, wrong in answers.items() if wrong} == {"files"}
