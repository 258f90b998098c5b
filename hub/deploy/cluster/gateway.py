"""A grading cluster from dask-gateway: asks for one, and keeps it until Ctrl-C.

``python -m hub.deploy.cluster.gateway https://gateway.example.org --workers 8 --certificates run/gateway``;
who one is, dask-gateway's own configuration says (``~/.config/dask/gateway.yaml``).

Contract: the gateway gives each cluster a certificate of its own, which its scheduler, its workers and its
users show each other. It is laid into the folder under the names that ``mlsys autograde --certificates`` asks
for, readable by this user alone, and is of no use once the cluster has ended.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder.errors import PlatformError


def lay_down(folder: Path, certificate: str, key: str) -> None:
    """The cluster's certificate and key, as the files that a driver reads.

    Raises PlatformError where the folder holds other certificates.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / "ca.key").exists():
        raise PlatformError(f"{folder} holds an authority's certificates; name another folder")
    for name, text in (("ca.pem", certificate), ("client.pem", certificate), ("client.key", key)):
        (folder / name).unlink(missing_ok=True)
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m hub.deploy.cluster.gateway", description=__doc__)
    parser.add_argument("address", nargs="?", help="the gateway's; what Dask's configuration says without")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--certificates", type=Path, default=Path("run/gateway"))
    given = parser.parse_args(words)
    from dask_gateway import Gateway  # type: ignore[import-untyped]  # it has no types

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    opened: Any = Gateway(*[given.address] if given.address else [])
    with opened as gateway, gateway.new_cluster(shutdown_on_close=True) as cluster:
        try:
            lay_down(given.certificates, cluster.security.tls_cert, cluster.security.tls_key)
        except PlatformError as error:
            sys.stderr.write(f"error: {error}\n")
            return 2
        cluster.scale(given.workers)
        sys.stderr.write(f"cluster {cluster.name} with {given.workers} workers; grade with\n")
        sys.stderr.write(
            f"  mlsys autograde ASSIGNMENT --scheduler {cluster.scheduler_address}"
            f" --certificates {given.certificates}\n"
        )
        sys.stderr.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
