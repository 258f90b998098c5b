"""What a box must hold to holds for both kinds: one that bubblewrap makes, and one that a zygote forks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.sandbox.warm import WarmBoxes
from tests.autograder.sandbox.boxes import WARM


@pytest.fixture(scope="module")
def warm_boxes() -> Iterator[WarmBoxes]:
    """Zygotes for the tests of one file."""
    with WarmBoxes() as boxes:
        yield boxes


@pytest.fixture(params=("cold", "warm"))
def warmth(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each test twice, with boxes of each kind; for ``pytest.mark.usefixtures``."""
    kind: str = request.param
    token = WARM.set(request.getfixturevalue("warm_boxes") if kind == "warm" else None)
    yield kind
    WARM.reset(token)
