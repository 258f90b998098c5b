"""Ctrl-C in a long command: the first one asks it to end after what it is doing, the second ends it.

SIGTERM, with which service managers end what they started, is a Ctrl-C too.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hub.cli.console import words

INTERRUPTED = 130


@contextmanager
def first_interrupt(finishing: str = "what is being judged") -> Iterator[threading.Event]:
    """An event that the first signal sets; the second raises KeyboardInterrupt in the main thread.

    ``finishing``: what is done to its end first.
    """
    stop = threading.Event()

    def note(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        words.print(f"stopping: {finishing} is finished first; Ctrl-C again ends at once")

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
