"""What the judge's tests watch."""

from __future__ import annotations

import pytest

from autograder.judge.boxes import PassBoxes
from autograder.sandbox import Box, BoxSpec


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first processes of the boxes that are opened, as they come."""
    found: list[int] = []
    opening = PassBoxes.open

    def watched(self: PassBoxes, spec: BoxSpec) -> Box:
        box = opening(self, spec)
        found.append(box.init_pid)
        return box

    monkeypatch.setattr(PassBoxes, "open", watched)
    return found
