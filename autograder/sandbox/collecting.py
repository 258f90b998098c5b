"""Keeps the garbage collector away for a moment. Runs in boxes, too."""

from __future__ import annotations

import gc


class uncollected:
    """No collection begins inside, unless another thread's end of the same allows it. Entered for each
    message: a generator would take longer."""

    __slots__ = ("collecting",)

    def __enter__(self) -> None:
        self.collecting = gc.isenabled()
        gc.disable()

    def __exit__(self, *raised: object) -> None:
        if self.collecting:
            gc.enable()


__all__ = ["uncollected"]
