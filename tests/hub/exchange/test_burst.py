"""A small deadline with a dead service in the middle: what was acknowledged is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.deadline_burst import Load, report, run


@pytest.mark.slow
def test_kill_9_in_a_burst_loses_no_acknowledged_submission(tmp_path: Path) -> None:
    load = Load(submissions=80, students=25, seconds=6, bytes=50_000, kill=True)
    outcome = run(load, tmp_path)
    assert (outcome.lost, outcome.untrue) == (0, 0), report(outcome)
    assert outcome.acknowledged == load.submissions
    said = "".join(log.read_text() for log in tmp_path.rglob("service.log"))
    assert "the course service ended (-9)" in said
