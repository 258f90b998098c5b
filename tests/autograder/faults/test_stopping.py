"""A batch that is asked to end keeps what it has judged, and the next one goes on."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from hub.coursework import open_gradebook
from tests.autograder.faults.canonical import canonical, require_whole
from tests.autograder.faults.classroom import ID, Classroom, grade
from tests.hub.command import ROOT

INTERRUPTED = 130


@pytest.mark.slow
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["once", "twice"])
def test_a_batch_that_is_stopped(
    room: Classroom, few_graded: Classroom, signals: list[signal.Signals], tmp_path: Path
) -> None:
    with subprocess.Popen(
        room.command("--json", "--workers", "1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        assert json.loads(driver.stdout.readline())["event"] == "found"
        assert json.loads(driver.stdout.readline())["event"] == "attempt"
        for each in signals:
            driver.send_signal(each)
            driver.stderr.readline()  # it says that it was heard
        driver.communicate()
    assert driver.returncode == INTERRUPTED
    with open_gradebook(room.course_dir) as gradebook:
        kept = gradebook.attempts(assignment=ID)
    assert 1 <= len(kept) < 3
    grade(room)
    require_whole(room)
    assert canonical(room) == canonical(few_graded)
    with open_gradebook(room.course_dir) as gradebook:
        assert gradebook.attempts(assignment=ID)[: len(kept)] == kept
