"""Opens a bench to judge on: this host's court, or a Dask cluster's workers.

Contract: `local_bench` and what `bench_of` returns are context managers. An open bench says how many
submissions it takes at once, and ends all judging when it's abandoned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.batch import Bench, LocalBench, default_workers
from autograder.errors import PlatformError
from autograder.judge import Court, Settings


@dataclass(frozen=True)
class OpenBench:
    """``here`` says whether boxes are made on this host. ``prepare`` begins to load what an assignment needs,
    ``wait`` waits until submissions can be judged, and raises PlatformError where they can't."""

    bench: Bench
    abandon: Callable[[], None]
    here: bool
    slots: int = 0
    prepare: Callable[[Settings], None] = lambda settings: None
    wait: Callable[[], None] = lambda: None

    def workers(self, *, racing: bool) -> int:
        """How many submissions at once where nobody says."""
        return self.slots or default_workers(racing=racing)


Opener = Callable[[], AbstractContextManager[OpenBench]]


def require_dask() -> None:
    """Raises PlatformError where Dask isn't installed."""
    try:
        import distributed  # noqa: F401 -- an extra, and slow to load
    except ImportError as error:
        raise PlatformError(
            f"a cluster needs Dask ({error}); install it with: pip install 'mlsys-course[cluster]'"
        ) from error


@contextmanager
def local_bench() -> Iterator[OpenBench]:
    with Court() as court:
        bench = LocalBench(court)
        yield OpenBench(bench, court.close, here=True, prepare=court.prepare, wait=court.wait)


def bench_of(scheduler: str, certificates: Path | None) -> Opener:
    """This host's bench, or that of a scheduler's address. Raises PlatformError where Dask is missing."""
    if not scheduler:
        return local_bench
    require_dask()
    from autograder.batch.cluster import ClusterAddress, ClusterBench  # an extra, and slow to load

    @contextmanager
    def cluster_bench() -> Iterator[OpenBench]:
        with ClusterBench(ClusterAddress(scheduler, certificates)) as bench:
            yield OpenBench(bench, bench.close, here=False, slots=bench.slots)

    return cluster_bench
