"""A bench that is a Dask cluster: submissions' bytes go to workers, result records come back.

Contract: the driver alone touches the gradebook, the course's secret and the students' names. What travels
is an assignment's sources (hidden tests among them), a submission's files and its seeds; so the connection is
TLS with certificates on both sides, or stays on this host. A worker that is lost costs a retry on
another one. Where the scheduler is lost `BenchLost` ends the batch: no submission is to blame.
"""

from __future__ import annotations

import ipaddress
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import distributed
from distributed import KilledWorker
from distributed.comm.core import CommClosedError

from autograder.batch import worker
from autograder.batch.bench import BenchLost, Files, Seeds, Sources
from autograder.batch.records import bundle_bytes, read_result
from autograder.environment import environment
from autograder.errors import PlatformError
from autograder.gradebook import GradedNotebook

# Dask is typed in part.
Client: Any = distributed.Client
Security: Any = distributed.Security
CONNECT_SECONDS = 30.0
WORKER_SECONDS = 120.0  # for the first worker, which may be starting
CERTIFICATES = ("ca.pem", "client.pem", "client.key")
ENCRYPTED = ("tls", "gateway")
GONE = (CancelledError, CommClosedError, TimeoutError, OSError)


@dataclass(frozen=True)
class ClusterAddress:
    """Where a scheduler is, and the folder with the certificates for it (None on this host)."""

    address: str
    certificates: Path | None

    def security(self) -> Any:
        """For Dask, None for a connection in clear.

        Raises PlatformError where tests would travel in clear, or certificates are missing.
        """
        parts = urlsplit(self.address)
        if parts.scheme == "tcp" and is_loopback(parts.hostname or ""):
            return None
        if parts.scheme not in ENCRYPTED or self.certificates is None:
            raise PlatformError(
                f"{self.address}: hidden tests travel to this scheduler, so it has to be tls:// (or gateway://)"
                " with --certificates FOLDER (ca.pem, client.pem, client.key); tcp:// is for this host alone"
            )
        if parts.scheme == "gateway":
            require_gateway()
        ca, certificate, key = (self.certificates / name for name in CERTIFICATES)
        missing = [str(file) for file in (ca, certificate, key) if not file.is_file()]
        if missing:
            raise PlatformError(f"no such file: {', '.join(missing)}; `mlsys cluster start` makes them")
        return Security(
            require_encryption=True,
            tls_ca_file=str(ca),
            tls_client_cert=str(certificate),
            tls_client_key=str(key),
        )


def require_gateway() -> None:
    """Teaches Dask the addresses of dask-gateway. Raises PlatformError where it isn't installed."""
    try:
        import dask_gateway  # type: ignore[import-untyped]  # noqa: F401 -- it registers them; no types
    except ImportError as error:
        raise PlatformError(
            f"a gateway:// address needs dask-gateway ({error}); pip install dask-gateway"
        ) from error


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ClusterBench:
    """Judges on a cluster. A context manager; ``slots`` is how many submissions it takes at once."""

    def __init__(self, where: ClusterAddress) -> None:
        """Raises PlatformError where there is no scheduler, or no worker that may judge."""
        self.where = where
        security = where.security()
        try:
            self.client = Client(
                where.address, security=security, timeout=CONNECT_SECONDS, set_as_default=False
            )
        except (OSError, TimeoutError) as error:
            raise PlatformError(f"no scheduler answers at {where.address}: {error}") from error
        try:
            self.register()
        except BaseException:
            self.client.close()
            raise
        # By the sources' identity, which is theirs as long as they are kept here.
        self.bundles: dict[int, tuple[Sources, Any]] = {}

    def register(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as error:
            raise PlatformError(
                f"the scheduler at {self.where.address} has had no worker for {WORKER_SECONDS:.0f} s;"
                " start one, or look at the workers' logs, then run the same again"
            ) from error
        try:
            self.client.register_plugin(worker.JudgePlugin(environment()), name=worker.NAME)
        except PlatformError:
            raise
        except Exception as error:  # whatever a worker's host raised
            raise PlatformError(f"a worker of {self.where.address} may not judge: {error}") from error

    @property
    def slots(self) -> int:
        return sum(self.client.nthreads().values()) or 1

    def judge(self, sources: Sources, files: Files, seeds: Seeds) -> tuple[GradedNotebook, ...]:
        future = self.client.submit(worker.judge, self.sent(sources), dict(files), dict(seeds), pure=False)
        try:
            text = future.result()
        except KilledWorker as error:
            raise PlatformError(
                f"the workers that had it were lost, {error.allowed_failures + 1} times"
            ) from error
        except GONE as error:
            raise BenchLost(
                f"the scheduler at {self.where.address} is gone; what was graded is kept, run the same again"
            ) from error
        return read_result(bytes(text), sources, files)

    def sent(self, sources: Sources) -> Any:
        """The sources' bundle on the cluster, written down once for a batch. As a task's result it is made
        again where a worker is lost with it."""
        if id(sources) not in self.bundles:
            self.bundles[id(sources)] = (sources, self.client.submit(bytes, bundle_bytes(sources)))
        return self.bundles[id(sources)][1]

    def close(self) -> None:
        self.client.close()

    def __enter__(self) -> ClusterBench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
