"""What is counted of processes that come and go while they are looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from autograder.sandbox.accounting import sample


@pytest.mark.parametrize("look", ["listdir", "scandir"])
def test_a_process_may_go_between_two_looks(look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder was there a moment ago, and can't be listed any more."""
    listed: Callable[..., Any] = getattr(os, look)

    def gone(folder: Any = ".") -> Any:
        if str(folder).startswith("/proc/"):
            raise FileNotFoundError(folder)
        return listed(folder)

    monkeypatch.setattr(os, look, gone)
    assert sample(os.getpid()).peak_bytes > 0
