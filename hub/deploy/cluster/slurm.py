"""A grading cluster under Slurm: the scheduler runs here, its workers are Slurm's jobs (dask-jobqueue).

Run on a login node, in the virtual environment that the compute nodes see too:
``python -m hub.deploy.cluster.slurm --jobs 8 --certificates ~/grading --scratch '$SLURM_TMPDIR' …``.

Contract: a job is one worker with a court of its own; it talks TLS with the folder's certificates, which lie
on a file system that the nodes share and only this user can read. Ctrl-C ends the scheduler and cancels the
jobs. Each worker looks at its node when a batch begins, and refuses where boxes can't be made.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub import certificates

PORT = 8786


def cluster_options(
    folder: Path, *, cores: int, memory: str, hours: float, partition: str, scratch: str, port: int = PORT
) -> dict[str, Any]:
    """What SLURMCluster is made with. ``folder``: of the certificates, made where there are none."""
    from distributed import Security

    certificates.make(folder)
    files = {name: str(folder.resolve() / name) for name in ("ca.pem", "server.pem", "server.key")}
    tls: Any = Security
    return {
        "cores": cores,
        "processes": 1,
        "memory": memory,
        "walltime": f"{int(hours * 60) // 60:02}:{int(hours * 60) % 60:02}:00",
        "queue": partition or None,
        "local_directory": scratch or None,
        "python": sys.executable,
        "nanny": False,  # boxes die with the process that made them; Slurm's jobs are started again here
        "protocol": "tls://",
        "security": tls(
            require_encryption=True,
            tls_ca_file=files["ca.pem"],
            tls_scheduler_cert=files["server.pem"],
            tls_scheduler_key=files["server.key"],
            tls_worker_cert=files["server.pem"],
            tls_worker_key=files["server.key"],
            tls_client_cert=files["server.pem"],
            tls_client_key=files["server.key"],
        ),
        # Memory is Slurm's to limit, and each box's own; Dask would pause a worker for its boxes' sake.
        "worker_extra_args": ["--no-dashboard", "--memory-limit", "0"],
        "scheduler_options": {"port": port, "dashboard": False},
    }


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m hub.deploy.cluster.slurm", description=__doc__)
    parser.add_argument("--jobs", type=int, default=4, help="Slurm jobs, a worker each")
    parser.add_argument("--cores", type=int, default=4, help="of a job: so many submissions at once")
    parser.add_argument(
        "--memory", default="8GB", help="of a job; a submission may take its limit and 256 MB"
    )
    parser.add_argument("--hours", type=float, default=2, help="then Slurm ends a job, and another is sent")
    parser.add_argument("--partition", default="", help="Slurm's; its own default without")
    parser.add_argument("--scratch", default="", help="a folder on each node's own disk")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--certificates", type=Path, default=Path("run/cluster"))
    given = parser.parse_args(words)
    import dask_jobqueue  # here, so that the rest can be read without it

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    options = cluster_options(
        given.certificates,
        cores=given.cores,
        memory=given.memory,
        hours=given.hours,
        partition=given.partition,
        scratch=given.scratch,
        port=given.port,
    )
    jobqueue: Any = dask_jobqueue  # it is typed in part
    with contextlib.closing(jobqueue.SLURMCluster(**options)) as cluster:
        cluster.adapt(minimum_jobs=given.jobs, maximum_jobs=given.jobs)  # sends another where one ends
        sys.stderr.write(f"a scheduler at {cluster.scheduler_address} with {given.jobs} jobs; grade with\n")
        sys.stderr.write(
            f"  mlsys autograde ASSIGNMENT --scheduler {cluster.scheduler_address}"
            f" --certificates {given.certificates}\n"
        )
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
