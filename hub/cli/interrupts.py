"""Ctrl-C in a long command: the first one asks it to end after what it is doing, the second ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hub.cli.console import words

INTERRUPTED = 130


@contextmanager
def first_interrupt() -> Iterator[threading.Event]:
    """An event that the first SIGINT sets; the second raises KeyboardInterrupt in the main thread."""
    stop = threading.Event()

    def note(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        words.print("stopping: what is being judged is finished first; Ctrl-C again ends at once")

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
