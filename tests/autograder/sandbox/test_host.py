"""What a host can enforce, and that grading hears of what it can't."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.sandbox import (
    BoxFailed,
    Check,
    HostReport,
    HostUnfit,
    Status,
    host,
    inspect_host,
    open_box,
    probe,
)
from autograder.sandbox.policy import find_tools, this_host
from tests.autograder.sandbox.boxes import python_spec, run

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


@pytest.mark.parametrize("machine", ["aarch64", "riscv64", "i686", "amd64", "x86_64 ", ""])
def test_machine_without_a_filter_is_refused(monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    report = inspect_host()
    assert not report.can_isolate
    assert "test box" not in {check.name for check in report.checks}
    with pytest.raises(HostUnfit, match="no seccomp table for"):
        run("say('ran')")


@pytest.mark.parametrize("actions", [None, "", "kill_thread trap errno trace allow"])
def test_kernel_without_seccomp_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, actions: str | None
) -> None:
    if actions is not None:
        (tmp_path / "kernel" / "seccomp").mkdir(parents=True)
        (tmp_path / "kernel" / "seccomp" / "actions_avail").write_text(actions)
    monkeypatch.setattr(host, "_SETTINGS", str(tmp_path))
    [check] = host._seccomp()
    assert check.status is Status.MISSING


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (None, ""),
        ("user/max_user_namespaces", "0"),
        ("kernel/unprivileged_userns_clone", "0"),
    ],
)
def test_ordinary_user_without_user_namespaces_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str | None, value: str
) -> None:
    if setting is not None:
        (tmp_path / "user").mkdir()
        (tmp_path / "kernel").mkdir()
        (tmp_path / setting).write_text(value + "\n")
    monkeypatch.setattr(host, "_SETTINGS", str(tmp_path))
    [check] = host._user_namespaces()
    assert check.status is Status.MISSING


def test_box_maker_that_makes_no_box_runs_no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever stands in bubblewrap's place: without its report nothing gets past the gate."""
    false = tmp_path / "bwrap"
    false.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
    false.chmod(0o755)
    monkeypatch.setattr("autograder.sandbox.policy._TOOL_PATH", f"{tmp_path}:{os.defpath}")
    monkeypatch.setattr("autograder.sandbox.launch._START_SECONDS", 1.0)
    footing = replace(this_host(), tools=find_tools())
    reader, writer = os.pipe()
    with pytest.raises(BoxFailed, match="did not start"):
        open_box(python_spec("say('ran')", writer), footing)
    os.close(writer)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_probe_sees_calls_that_are_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here, outside of any box, with calls that do nothing."""
    monkeypatch.setattr(probe, "_DANGEROUS", {"close": 3})
    assert probe.calls() == "the kernel answers to close"


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
