"""The boxes of the passes over one notebook, one after the other.

Contract: ``close`` it after the last pass, in the thread that used it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from autograder.sandbox import Box, BoxFailed, BoxSpec

Opener = Callable[[BoxSpec], Box]


class PassBoxes:
    """Made by ``opener``. The last box of a pass is kept for the next one where it can be, since emptying it
    takes a part of the time of making one."""

    def __init__(self, opener: Opener, passes: int = 1) -> None:
        self.opener = opener
        self.passes = passes
        self.kept: Box | None = None

    @property
    def twice(self) -> bool:
        """Whether another pass comes after this one."""
        return self.passes > 1

    def open(self, spec: BoxSpec) -> Box:
        """Raises HostUnfit or BoxFailed."""
        kept, self.kept = self.kept, None
        if kept is not None:
            with contextlib.suppress(BoxFailed):
                return kept.second(spec)
        return self.opener(spec)

    def leave(self, box: Box) -> None:
        """Ends a pass, and its box or the program in it."""
        if self.twice and box.vacate():
            self.kept = box
        else:
            box.close()
        self.passes -= 1

    def close(self) -> None:
        kept, self.kept = self.kept, None
        if kept is not None:
            kept.close()
