"""What a Dask worker does for a batch: it has a court of its own, and judges what is sent to it.

Contract: `JudgePlugin` is registered by the driver. On each worker, those that join later too, it looks at
the host as ``mlsys doctor`` does and raises where untrusted code can't be isolated: such a worker takes no
submission. `judge` is the task; it returns bytes, and raises nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from autograder.batch.bench import LocalBench, Sources
from autograder.batch.records import fault_bytes, read_bundle, result_bytes
from autograder.environment import environment
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
        if environment() != self.version:
            raise PlatformError(
                f"{worker.address} has {environment()}, the driver {self.version}: install the same there"
            )
        report = inspect_host()
        if not report.can_isolate:
            raise PlatformError(f"{worker.address} can't isolate untrusted code; run `mlsys doctor` there")
        # Boxes die with the thread that opened them, and Dask's own threads come and go.
        self.keeper = ThreadPoolExecutor(1, thread_name_prefix="mlsys-court")
        self.court = Court()
        self.keeper.submit(self.court.start).result()

    def teardown(self, worker: Worker) -> None:
        self.keeper.submit(self.court.close).result()
        self.keeper.shutdown()


def judge(bundle: bytes, files: Mapping[str, bytes], seeds: Mapping[str, bytes]) -> bytes:
    """One submission, judged on this worker."""
    try:
        plugin: Any = get_worker().plugins.get(NAME)
        if plugin is None:
            return fault_bytes("this worker has no court; it joined without the driver's plugin")
        notebooks = LocalBench(plugin.court).judge(sources_of(bundle), files, seeds)
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
