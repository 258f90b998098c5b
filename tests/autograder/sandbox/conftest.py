"""What a box must hold to holds for all kinds: one that bubblewrap makes, one that a zygote forks, and one of
those that has had a program before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.sandbox.warm import WarmBoxes
from tests.autograder.sandbox.boxes import SECOND, WARM


@pytest.fixture(scope="module")
def warm_boxes() -> Iterator[WarmBoxes]:
    """Zygotes for the tests of one file."""
    with WarmBoxes() as boxes:
        yield boxes


@pytest.fixture(params=("cold", "warm", "second"))
def warmth(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each test with boxes of each kind; for ``pytest.mark.usefixtures``."""
    kind: str = request.param
    forked = WARM.set(None if kind == "cold" else request.getfixturevalue("warm_boxes"))
    second = SECOND.set(kind == "second")
    yield kind
    SECOND.reset(second)
    WARM.reset(forked)
