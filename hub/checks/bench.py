"""Where checks run: a few threads, and one court that all of them use.

Contract: a check lives in one thread from its start to its end, since a box dies with the thread
that opened it; the court is started with the first check, in a thread that lives as long as the
bench. A check whose student went away ends at its next cell.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from autograder.errors import PlatformError
from autograder.judge import Court
from autograder.sandbox.host import inspect_host
from hub.checks.checker import CheckRoom, check_notebook
from hub.checks.report import Report

Progress = Callable[[int, int], None]


class Gone(Exception):
    """Nobody waits for this check any more."""


class TooLong(Exception):
    """A check that kept its place in the line longer than one may."""


class Bench:
    """The threads and the court. Close it, or its boxes stay until the process ends."""

    def __init__(self, running: int) -> None:
        self.threads = ThreadPoolExecutor(running, thread_name_prefix="mlsys-check")
        self.keeper = ThreadPoolExecutor(1, thread_name_prefix="mlsys-court")
        self.opened: Future[Court] | None = None

    def submit(
        self, room: Callable[[], CheckRoom], name: str, data: bytes, progress: Progress
    ) -> Future[Report]:
        """Starts a check; ``room`` is called in its thread, as ``progress`` is."""
        court = self._court()
        return self.threads.submit(lambda: check_notebook(room(), court.result(), name, data, progress))

    def close(self) -> None:
        """Ends after the checks that run."""
        self.threads.shutdown(wait=True, cancel_futures=True)
        if self.opened is not None and self.opened.exception() is None:
            self.keeper.submit(self.opened.result().close).result()
        self.keeper.shutdown(wait=True)

    def _court(self) -> Future[Court]:
        """The court; one that couldn't be opened is tried again by the next check."""
        failed = self.opened is not None and self.opened.done() and self.opened.exception() is not None
        if self.opened is None or failed:
            self.opened = self.keeper.submit(open_court)
        return self.opened


def open_court() -> Court:
    """A started court. Raises PlatformError where untrusted code can't be boxed."""
    if not inspect_host().can_isolate:
        raise PlatformError(
            "this host can't isolate untrusted code, so it checks nothing; run `mlsys doctor`"
        )
    court = Court()
    court.start()
    return court
