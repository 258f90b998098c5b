"""Grading on a Dask cluster: a real scheduler and real workers, each a process, over TLS on loopback."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from autograder.batch import LocalBench
from autograder.batch.bench import BenchLost
from autograder.errors import PlatformError
from autograder.judge import Court
from hub import certificates
from hub.cluster import Cluster
from hub.configure import free_port
from tests.autograder.target import NAME, REFERENCE, STUB, assignment

pytest.importorskip("distributed")

from autograder.batch.cluster import ClusterAddress, ClusterBench

pytestmark = pytest.mark.slow
SOURCES = {NAME: assignment(REFERENCE)}
SEEDS = {NAME: b"seed"}


def files(answers: dict[str, str]) -> dict[str, bytes]:
    return {f"{NAME}.ipynb": nbformat.writes(assignment(answers)).encode()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Cluster]:
    with Cluster(folder, workers=2, threads=1, host="127.0.0.1", port=free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def bench(cluster: Cluster, folder: Path) -> Iterator[ClusterBench]:
    with ClusterBench(ClusterAddress(cluster.address, folder)) as opened:
        yield opened


def test_marks_are_those_of_this_process(bench: ClusterBench, court: Court) -> None:
    for answers in (REFERENCE, STUB):
        here = LocalBench(court).judge(SOURCES, files(answers), SEEDS)
        there = bench.judge(SOURCES, files(answers), SEEDS)
        checks = [
            [(c.check, c.verdict, c.points, c.message) for c in each.result.checks]
            for each in (*here, *there)
            if each.result is not None
        ]
        assert checks[0] == checks[1]
    assert bench.slots == 2


def test_a_lost_worker_costs_a_retry(cluster: Cluster, bench: ClusterBench) -> None:
    cluster.processes["worker 1"].send_signal(signal.SIGKILL)
    for _ in range(3):
        [graded] = bench.judge(SOURCES, files(REFERENCE), SEEDS)
        assert graded.result is not None
        assert graded.result.points == graded.result.max_points


def test_who_has_no_certificate_gets_no_word(cluster: Cluster) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((cluster.host, cluster.port), timeout=30) as plain,
        pytest.raises(OSError),
        context.wrap_socket(plain) as line,
    ):
        line.send(b"\0" * 64)
        if not line.recv(1):
            raise ConnectionResetError("the scheduler hung up")


def test_a_worker_of_another_version_may_not_judge(
    bench: ClusterBench, folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.batch.cluster.environment", lambda: "0.0.0+env.other")
    monkeypatch.setattr("autograder.batch.worker.NAME", "mlsys-judge-of-another-version")
    with pytest.raises(PlatformError, match="install the same there"):
        ClusterBench(ClusterAddress(cluster.address, folder))


def test_tests_do_not_travel_in_clear(folder: Path, tmp_path: Path) -> None:
    for address, given in (
        ("tcp://192.0.2.1:8786", folder),
        ("tls://192.0.2.1:8786", None),
        ("http://127.0.0.1", folder),
        ("tcp://localhost.example.org:1", None),
    ):
        with pytest.raises(PlatformError, match="hidden tests travel"):
            ClusterAddress(address, given).security()
    with pytest.raises(PlatformError, match="no such file"):
        ClusterAddress("tls://127.0.0.1:1", tmp_path).security()
    assert ClusterAddress("tcp://127.0.0.1:8786", None).security() is None


def test_no_scheduler_is_told_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.batch.cluster.CONNECT_SECONDS", 1.0)
    with pytest.raises(PlatformError, match="no scheduler answers"):
        ClusterBench(ClusterAddress(f"tls://127.0.0.1:{free_port()}", folder))


def test_a_scheduler_without_workers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates.make(tmp_path)
    with Cluster(tmp_path, workers=0, threads=1, host="127.0.0.1", port=free_port()) as running:
        monkeypatch.setattr("autograder.batch.cluster.WORKER_SECONDS", 1.0)
        with pytest.raises(PlatformError, match="no worker for 1 s; start one"):
            ClusterBench(ClusterAddress(running.address, tmp_path))


def test_a_lost_scheduler_ends_the_batch(tmp_path: Path) -> None:
    certificates.make(tmp_path)
    with (
        Cluster(tmp_path, workers=1, threads=1, host="127.0.0.1", port=free_port()) as running,
        ClusterBench(ClusterAddress(running.address, tmp_path)) as bench,
    ):
        assert bench.judge(SOURCES, files(STUB), SEEDS)
        running.processes["scheduler"].kill()
        running.processes["scheduler"].wait()
        with pytest.raises(BenchLost, match="run the same again"):
            bench.judge(SOURCES, files(STUB), SEEDS)


def test_certificates_are_made_once_and_their_keys_are_private(tmp_path: Path) -> None:
    certificates.make(tmp_path / "new")
    made = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    assert {
        file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "new").glob("*.key")
    } == dict.fromkeys(("ca.key", "server.key", "client.key"), 0o600)
    certificates.make(tmp_path / "new")
    assert made == {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    (tmp_path / "new" / "client.key").unlink()
    with pytest.raises(PlatformError, match=r"lacks client\.key"):
        certificates.make(tmp_path / "new")
    for name in ("server", "client"):
        verified = subprocess.run(
            ["openssl", "verify", "-CAfile", "ca.pem", f"{name}.pem"],
            cwd=tmp_path / "new",
            capture_output=True,
            text=True,
        )
        assert verified.stdout.strip() == f"{name}.pem: OK"


def test_the_command_starts_a_cluster_and_ends_it(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "hub.cli.app", "cluster", "start", "--workers", "1",
        "--port", str(free_port()), "--certificates", str(tmp_path / "pki"),
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "a scheduler at tls://127.0.0.1:" in said
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 0
    assert "the cluster is stopped" in rest
