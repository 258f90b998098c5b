"""One grading of an assignment at a time, whoever starts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import PlatformError
from hub.coursework import grading_locks


def test_an_assignment_that_is_being_graded_is_not_graded_again(tmp_path: Path) -> None:
    with grading_locks(tmp_path, ["a", "b"]):
        with pytest.raises(PlatformError, match="b is being graded already"), grading_locks(tmp_path, ["b"]):
            pass
        with grading_locks(tmp_path, ["c"]):
            pass
    with grading_locks(tmp_path, ["a", "b"]):
        pass


def test_a_refusal_leaves_no_lock_behind(tmp_path: Path) -> None:
    with grading_locks(tmp_path, ["b"]):
        with pytest.raises(PlatformError), grading_locks(tmp_path, ["a", "b"]):
            pass
        with grading_locks(tmp_path, ["a"]):
            pass
