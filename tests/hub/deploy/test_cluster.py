"""The recipes for clusters of others: their files are what those programs take, and name only what exists."""

from __future__ import annotations

import inspect
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from traitlets.config import Config
from typer.main import get_command

from autograder.errors import PlatformError
from hub.cli.app import app
from hub.configure import free_port
from tests.autograder.target import NAME, REFERENCE
from tests.hub.command import ROOT
from tests.hub.deploy.test_kubernetes import FOLDER as HUB

pytest.importorskip("distributed")

from distributed import Scheduler
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker

from autograder.batch.cluster import ClusterAddress, ClusterBench
from hub.deploy.cluster import gateway, slurm

FOLDER = ROOT / "hub" / "deploy" / "cluster"
MANIFESTS = FOLDER / "kubernetes"
README = (FOLDER / "README.md").read_text()
NEWEST, OLDEST = "1.36.0", "1.25.0"
PATIENCE_SECONDS = 120
Object = dict[str, Any]


def read_by(command: click.Command, words: list[str]) -> dict[str, Any]:
    """What a command of Dask's understands of these words; fails for an option that it doesn't have."""
    context = command.make_context("dask", list(words), resilient_parsing=False)
    return dict(context.params)


# Slurm


def job_script(tmp_path: Path, **changed: Any) -> str:
    jobqueue: Any = pytest.importorskip("dask_jobqueue")
    given: dict[str, Any] = {
        "cores": 4, "memory": "8GB", "hours": 1.5, "partition": "short", "scratch": "/scratch/me", "port": 0,
    }  # fmt: skip
    options = slurm.cluster_options(tmp_path / "certificates", **{**given, **changed})
    options.pop("scheduler_options")  # not a job's
    script: str = jobqueue.slurm.SLURMJob("tls://10.0.0.5:8786", name="one", **options).job_script()
    return script


def test_a_slurm_job_is_a_worker_that_dask_knows(tmp_path: Path) -> None:
    script = job_script(tmp_path)
    subprocess.run(["bash", "-n"], input=script.encode(), check=True)
    python, *words = shlex.split(script.splitlines()[-1])
    assert (python, words[:2]) == (sys.executable, ["-m", "distributed.cli.dask_worker"])
    said = read_by(dask_worker, words[2:])
    assert (said["scheduler"], said["nthreads"], said["nanny"]) == ("tls://10.0.0.5:8786", 4, False)
    assert (said["memory_limit"], said["local_directory"]) == ("0", "/scratch/me")
    for file in ("tls_ca_file", "tls_cert", "tls_key"):
        assert Path(said[file]).is_file()
    assert "ca.key" not in script and "client" not in script


def test_what_slurm_is_asked_for(tmp_path: Path) -> None:
    asked = re.findall(r"^#SBATCH (\S+) ?(.*)$", job_script(tmp_path), re.MULTILINE)
    assert {("-p", "short"), ("-n", "1"), ("-t", "01:30:00"), ("--cpus-per-task=4", "")} <= set(asked)
    assert not re.search("^#SBATCH -p", job_script(tmp_path, partition=""), re.MULTILINE)


def test_the_schedulers_options_exist(tmp_path: Path) -> None:
    options = slurm.cluster_options(
        tmp_path / "certificates", cores=1, memory="1GB", hours=1, partition="", scratch=""
    )
    known = set(inspect.signature(Scheduler.__init__).parameters)
    assert set(options["scheduler_options"]) <= known
    assert options["security"].require_encryption is True
    for role in ("scheduler", "worker", "client"):
        tls = options["security"].get_tls_config_for_role(role)
        assert all(Path(tls[name]).is_file() for name in ("ca_file", "cert", "key"))


# dask-gateway


def test_the_gateways_configuration_sets_what_it_has() -> None:
    base = pytest.importorskip("dask_gateway_server.backends.base")
    c = Config()
    runpy.run_path(str(FOLDER / "gateway_config.py"), {"c": c})
    assert list(c) == ["ClusterConfig"]
    traits = base.ClusterConfig.class_traits(config=True)
    for name, value in c.ClusterConfig.items():
        traits[name]._validate(base.ClusterConfig(), value)
    backend = pytest.importorskip("dask_gateway_server.backends.db_base").DBBackendBase
    made = base.ClusterConfig(config=c)
    made_up = type("Cluster", (), {"config": made, "scheduler_address": "tls://10.0.0.5:1"})()
    words = backend.get_worker_command(backend(config=c), made_up, "one")
    assert read_by(dask_worker, words[3:])["nanny"] is False
    assert words[:3] == [sys.executable, "-m", "distributed.cli.dask_worker"]


def test_certificates_of_an_authority_are_not_overwritten(tmp_path: Path) -> None:
    gateway.lay_down(tmp_path / "new", "certificate", "key")
    gateway.lay_down(tmp_path / "new", "another", "key")
    assert (tmp_path / "new" / "client.pem").read_text() == "another"
    assert (tmp_path / "new" / "client.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "ca.key").touch()
    with pytest.raises(PlatformError, match="name another folder"):
        gateway.lay_down(tmp_path, "certificate", "key")


LOCAL = """
import runpy
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
c.DaskGateway.address = "127.0.0.1:{private}"
c.Proxy.address = "127.0.0.1:{public}"
c.LocalBackend.clusters_directory = {folder!r}
runpy.run_path({ours!r}, {{"c": c}})
c.ClusterConfig.worker_cores = 1
c.ClusterConfig.worker_memory = "2 G"
"""


@contextmanager
def running(words: list[str], wanted: str, **kwargs: Any) -> Iterator[str]:
    """A program until the end of the block, once it has said this; all it has said."""
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, **kwargs
    ) as process:
        assert process.stderr is not None
        said = ""
        while wanted not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        try:
            yield said
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_SECONDS)


@pytest.mark.slow
def test_grading_through_a_gateway_of_this_host(tmp_path: Path) -> None:
    pytest.importorskip("dask_gateway_server")
    from tests.autograder.batch.test_cluster import SEEDS, SOURCES, files

    public = free_port()
    config = tmp_path / "dask_gateway_config.py"
    config.write_text(
        LOCAL.format(
            private=free_port(), public=public, ours=str(FOLDER / "gateway_config.py"), folder=str(tmp_path)
        )
    )
    server = [str(Path(sys.executable).with_name("dask-gateway-server")), "-f", str(config)]
    client = [
        *(sys.executable, "-m", "hub.deploy.cluster.gateway", f"http://127.0.0.1:{public}"),
        *("--workers", "1", "--certificates", str(tmp_path / "certificates")),
    ]
    with (
        running(server, "Private API server listening", cwd=tmp_path),
        running(client, "--certificates", cwd=ROOT) as said,
    ):
        words = shlex.split(said.splitlines()[-1])
        address = words[words.index("--scheduler") + 1]
        assert address.startswith("gateway://")
        with ClusterBench(ClusterAddress(address, tmp_path / "certificates")) as bench:
            [graded] = bench.judge(SOURCES, files(REFERENCE), SEEDS)
    assert graded.name == NAME
    assert graded.result is not None and graded.result.points == graded.result.max_points


# Kubernetes


def objects(*names: str) -> Iterator[Object]:
    for name in names or ("cluster.yaml", "user-namespaces.yaml"):
        yield from yaml.safe_load_all((MANIFESTS / name).read_text())


def cluster() -> Object:
    return next(each for each in objects() if each["kind"] == "DaskCluster")


def pods() -> dict[str, Object]:
    spec = cluster()["spec"]
    return {part: spec[part]["spec"] for part in ("worker", "scheduler")}


def test_kubernetes_takes_what_is_its_own() -> None:
    check = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate isn't installed")
    for each in objects():
        if each["kind"] != "DaskCluster":
            check.validate(each, NEWEST, strict=True)
    check.validate(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {},
            "spec": cluster()["spec"]["scheduler"]["service"],
        },
        NEWEST,
        strict=True,
    )


@pytest.mark.parametrize("part", ["worker", "scheduler"])
def test_pods_are_such_as_the_operators_schema_keeps(part: str) -> None:
    """It is that of Kubernetes 1.21, and the API server drops what it doesn't know: 1.25 is the oldest to hold
    them against, and `hostUsers` alone of what we need came in it."""
    check = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate isn't installed")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": part}, "spec": pods()[part]}
    check.validate(pod, OLDEST, strict=True)
    assert "hostUsers" not in pods()[part]


def test_workers_get_a_user_namespace_all_the_same() -> None:
    [policy, binding] = objects("user-namespaces.yaml")
    rules = policy["spec"]
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert rules["failurePolicy"] == "Fail"
    assert rules["mutations"][0]["applyConfiguration"]["expression"].count("hostUsers: false") == 1
    labels = rules["matchConstraints"]["objectSelector"]["matchLabels"]
    assert labels == {"dask.org/cluster-name": cluster()["metadata"]["name"], "dask.org/component": "worker"}
    boxes = [*pods()["worker"]["containers"], *pods()["worker"]["initContainers"]]
    assert {each["securityContext"]["procMount"] for each in boxes} == {"Unmasked"}  # refused without it


def test_what_pods_run_dask_knows(tmp_path: Path) -> None:
    for name in ("ca.pem", "server.pem", "server.key"):  # Dask wants to see them
        (tmp_path / name).touch()
    for part, command in (("worker", dask_worker), ("scheduler", dask_scheduler)):
        [container] = pods()[part]["containers"]
        assert container["command"] == ["python", "-m", f"distributed.cli.dask_{part}"]
        mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        secrets = {each["name"] for each in pods()[part]["volumes"] if "secret" in each}
        assert mounted["/etc/mlsys/cluster"] in secrets
        words = [word.replace("/etc/mlsys/cluster", str(tmp_path)) for word in container["args"]]
        said = read_by(command, words)
        assert said["tls_ca_file"] and said["tls_cert"] and said["tls_key"]
    address = f"tls://{cluster()['metadata']['name']}-scheduler.mlsys.svc.cluster.local:8786"
    assert pods()["worker"]["containers"][0]["args"][0] == address
    [grader] = objects("grader.patch.yaml")
    pod = grader["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    line = pod["containers"][0]["command"][-1].replace("$(MLSYS_ASSIGNMENTS)", "07-autograd 10-quantization")
    assert f"--scheduler {address}" in line
    for command_line in line.split("&&"):
        require_command(shlex.split(command_line)[1:])


@pytest.mark.parametrize("part", ["worker", "scheduler"])
def test_pods_are_unprivileged_and_limited(part: str) -> None:
    pod = pods()[part]
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert pod["securityContext"]["runAsNonRoot"] is True
    for each in [*pod["containers"], *pod.get("initContainers", ())]:
        security = each["securityContext"]
        assert (security["allowPrivilegeEscalation"], security["readOnlyRootFilesystem"]) == (False, True)
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert each["resources"]["limits"] == each["resources"]["requests"]
        assert re.search(r":\d+\.\d+", each["image"])
    assert {"hostNetwork", "hostPID", "hostIPC"} & pod.keys() == set()


def test_the_operator_finds_what_it_looks_for() -> None:
    service = cluster()["spec"]["scheduler"]["service"]
    name = cluster()["metadata"]["name"]
    assert service["selector"] == {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}
    assert {each["name"] for each in service["ports"]} == {"tcp-comm", "http-dashboard"}


def test_it_is_a_layer_over_the_hubs_manifests() -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl here")
    done = subprocess.run([kubectl, "kustomize", str(MANIFESTS)], capture_output=True, text=True, check=True)
    made = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(done.stdout)}
    hubs = yaml.safe_load((HUB / "kustomization.yaml").read_text())["resources"]
    for name in hubs:
        for each in yaml.safe_load_all((HUB / name).read_text()):
            assert (each["kind"], each["metadata"]["name"]) in made
    grader = made["CronJob", "grader"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert {"course", "tmp", "certificates"} == {each["name"] for each in grader["volumes"]}
    assert "--scheduler" in grader["containers"][0]["command"][-1]
    assert {"MLSYS_COURSE", "MLSYS_ASSIGNMENTS"} <= {each["name"] for each in grader["containers"][0]["env"]}


# The page


def require_command(words: list[str]) -> None:
    """Fails for words that aren't a command of mlsys with options that it has."""
    command: Any = get_command(app)
    while isinstance(command, click.Group) or hasattr(command, "commands"):
        name, *words = words
        command = command.get_command(None, name)
        assert command is not None, name
    options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_page_names_what_exists() -> None:
    for line in re.findall(
        r"^\s*(?:\$ |)((?:srun )?mlsys .*?|python -m .*?)(?: +#.*)?$", README, re.MULTILINE
    ):
        words = shlex.split(line)
        if "mlsys" in words[:2]:
            require_command(words[words.index("mlsys") + 1 :])
        else:
            module = words[2]
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
            options = re.findall(r"--[\w-]+", line)
            text = (ROOT / f"{module.replace('.', '/')}.py").read_text()
            assert all(f'"{option}"' in text for option in options), line
    for name in re.findall(r"`([\w./-]+\.(?:py|yaml))`", README):
        assert name == "dask_gateway_config.py" or any(FOLDER.rglob(Path(name).name)), name
    assert "@@" not in README
