"""What a Dask worker does for a batch: it has a court of its own, and judges what is sent to it.

Contract: `JudgePlugin` is registered by the driver. On each worker, those that join later too, it looks at
the host as ``mlsys doctor`` does and raises where untrusted code can't be isolated: such a worker takes no
submission. `judge` is the task; it returns bytes, and raises nothing.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from autograder.batch.bench import LocalBench, Sources
from autograder.batch.records import fault_bytes, read_bundle, result_bytes
from autograder.errors import GraderError, PlatformError
from autograder.judge import Court
from autograder.sandbox import inspect_host

NAME = "mlsys-judge"


class JudgePlugin(WorkerPlugin):
    """The court of one worker."""

    name = NAME

    def __init__(self, version: str) -> None:
        """``version``: of the driver's code and packages, which a worker's have to be."""
        self.version = version

    def setup(self, worker: Worker) -> None:
        """Raises PlatformError where this host may not judge."""
        from autograder.environment import environment

        if environment() != self.version:
            raise PlatformError(
                f"{worker.address} has {environment()}, the driver {self.version}: install the same there"
            )
        report = inspect_host()
        if not report.can_isolate:
            raise PlatformError(f"{worker.address} can't isolate untrusted code; run `mlsys doctor` there")
        # Boxes die with the thread that opened them, and Dask's own threads come and go.
        self.keeper = Keeper()

    def teardown(self, worker: Worker) -> None:
        self.keeper.close()


class Keeper:
    """A court, open as long as the thread that is kept for it."""

    def __init__(self) -> None:
        self.court = Court()
        self.ready, self.over = threading.Event(), threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._keep, name="mlsys-court", daemon=True)
        self.thread.start()
        self.ready.wait()
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.over.set()
        self.thread.join()

    def _keep(self) -> None:
        try:
            with self.court:
                self.ready.set()
                self.over.wait()
        except BaseException as error:  # raised in the thread that waits for this one
            self.error = error
            self.ready.set()


def judge(bundle: bytes, files: Mapping[str, bytes], seeds: Mapping[str, bytes]) -> bytes:
    """One submission, judged on this worker."""
    try:
        plugin: Any = get_worker().plugins.get(NAME)
        if plugin is None:
            return fault_bytes("this worker has no court; it joined without the driver's plugin")
        notebooks = LocalBench(plugin.keeper.court).judge(sources_of(bundle), files, seeds)
        return result_bytes(notebooks)
    except GraderError as error:
        return fault_bytes(str(error))
    except (
        Exception
    ) as error:  # a bug of ours that one submission meets is its fault, and not the worker's end
        return fault_bytes(f"the grader failed ({type(error).__name__}: {error})")


@functools.lru_cache(maxsize=8)
def sources_of(bundle: bytes) -> Sources:
    """Read once for all submissions; nobody changes them."""
    return read_bundle(bundle)
