from __future__ import annotations

from pathlib import Path

import pytest

from tests.course.sample import Sample


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path / "sample")
