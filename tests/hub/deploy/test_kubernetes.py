"""The manifests are what Kubernetes takes, the values what the chart takes, and nobody has too much."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml
from jupyterhub.app import JupyterHub
from traitlets.config import Config

from hub.cli.app import VERBS
from hub.configure import ACCESS
from hub.exchange.records import Role
from hub.lab import environment
from hub.metrics.access import SHORTEST, VARIABLE
from tests.hub.command import ROOT
from tests.hub.deploy.configuration import class_of, require_known
from tests.hub.deploy.z2jh import VALUES

FOLDER = ROOT / "hub" / "deploy" / "kubernetes"
MANIFESTS = sorted(
    path.name for path in FOLDER.glob("*.yaml") if path.name not in ("values.yaml", "kustomization.yaml")
)
IMAGES = FOLDER / "images"
DOCKERFILES = sorted(path.name for path in IMAGES.glob("Dockerfile.*") if path.suffix != ".dockerignore")
VERSION = "1.35.0"

Object = dict[str, Any]


def objects(*names: str) -> Iterator[Object]:
    for name in names or MANIFESTS:
        yield from yaml.safe_load_all((FOLDER / name).read_text())


def values() -> Object:
    found: Object = yaml.safe_load((FOLDER / "values.yaml").read_text())
    return found


def named(kind: str, name: str) -> Object:
    return next(each for each in objects() if (each["kind"], each["metadata"]["name"]) == (kind, name))


def pods() -> Iterator[tuple[str, Object, Object]]:
    """(name, labels, specification) of each pod that the manifests make."""
    for each in objects():
        spec = each.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template is not None:
            yield each["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def containers(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


@pytest.mark.parametrize("name", MANIFESTS)
def test_kubernetes_takes_the_manifest(name: str) -> None:
    check = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate isn't installed")
    for each in objects(name):
        if each["apiVersion"].startswith("monitoring.coreos.com"):
            continue  # the Prometheus operator's own; its test is below
        check.validate(each, VERSION, strict=True)


def test_the_chart_takes_the_values() -> None:
    jsonschema.validate(values(), VALUES)


def test_a_mistyped_value_would_be_found() -> None:
    wrong = values()
    wrong["singleuser"]["memmory"] = wrong["singleuser"].pop("memory")
    with pytest.raises(jsonschema.ValidationError, match="memmory"):
        jsonschema.validate(wrong, VALUES)


def test_what_the_values_say_to_jupyterhub_it_knows() -> None:
    config = values()["hub"]["config"]
    kube = pytest.importorskip("kubespawner", reason="the extra 'deploy' isn't installed").KubeSpawner
    pytest.importorskip("oauthenticator")
    login = class_of("oauthenticator.generic.GenericOAuthenticator")
    assert config["JupyterHub"].pop("authenticator_class") == "generic-oauth"
    require_known(Config(config), JupyterHub, kube, login)


def test_the_values_python_sets_what_one_server_sets() -> None:
    hub = values()["hub"]
    c = Config()
    for text in hub["extraConfig"].values():
        exec(text, {"c": c})  # noqa: S102 - ours
    assert list(c.Spawner.server_token_scopes) == hub["loadRoles"]["server"]["scopes"]
    assert ACCESS in c.Spawner.server_token_scopes
    assert not [
        scope for scope in c.Spawner.server_token_scopes if scope.startswith(("admin", "self", "users!"))
    ]
    assert hub["loadRoles"]["user"]["scopes"] == ["self", ACCESS]
    assert hub["services"]["course"]["oauth_client_allowed_scopes"] == [ACCESS]


def test_a_students_server_reaches_the_hub_and_the_course_alone() -> None:
    user = values()["singleuser"]
    assert user["serviceAccountName"] is None
    assert values()["hub"]["config"]["KubeSpawner"]["automount_service_account_token"] is False
    policy = user["networkPolicy"]
    assert policy["enabled"]
    allowed = {name for name, value in policy["egressAllowRules"].items() if value}
    assert allowed == {"dnsPortsKubeSystemNamespace", "dnsPortsPrivateIPs"}
    [rule] = policy["egress"]
    [target] = rule["to"]
    assert target["podSelector"]["matchLabels"] == named("Service", "course")["spec"]["selector"]
    assert [port["port"] for port in rule["ports"]] == [9001]


def test_a_students_server_is_limited_and_unprivileged() -> None:
    user, spawner = values()["singleuser"], values()["hub"]["config"]["KubeSpawner"]
    assert user["memory"]["limit"] and user["cpu"]["limit"]
    assert (user["allowPrivilegeEscalation"], spawner["privileged"]) == (False, False)
    assert spawner["container_security_context"]["capabilities"]["drop"] == ["ALL"]
    assert user["uid"] == 1000
    lab = environment(Role.STUDENT)
    assert {name: user["extraEnv"][name] for name in lab} == lab


def test_every_part_is_of_the_course() -> None:
    assert {each["metadata"].get("namespace", "mlsys") for each in objects()} == {"mlsys"}
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert sorted([*listed, "secrets.example.yaml"]) == MANIFESTS


@pytest.mark.parametrize(
    ("name", "labels", "pod"), list(pods()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_every_pod_is_unprivileged_limited_and_knows_no_kubernetes(
    name: str, labels: Object, pod: Object
) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for each in containers(pod):
        security = each["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert each["resources"]["limits"].keys() == {"cpu", "memory"}
        assert re.search(r":\d+\.\d+", each["image"]), "a version, not what is newest"
        seccomp = security.get("seccompProfile", pod["securityContext"].get("seccompProfile"))
        assert seccomp is not None
        if seccomp["type"] == "Unconfined":
            assert (pod["hostUsers"], security["procMount"]) == (False, "Unmasked")
    assert {"hostNetwork", "hostPID", "hostIPC"} & pod.keys() == set()
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]


@pytest.mark.parametrize(
    ("name", "labels", "pod"), list(pods()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_every_pod_has_a_policy_for_both_directions(name: str, labels: Object, pod: Object) -> None:
    policies = [each["spec"] for each in objects() if each["kind"] == "NetworkPolicy"]
    mine = [each for each in policies if each["podSelector"]["matchLabels"].items() <= labels.items()]
    assert [each["policyTypes"] for each in mine] == [["Ingress", "Egress"]]


def test_who_needs_the_database_may_reach_it() -> None:
    [rule] = named("NetworkPolicy", "postgres")["spec"]["ingress"]
    allowed = [source["podSelector"]["matchLabels"] for source in rule["from"]]
    for name, labels, pod in pods():
        uses = any("MLSYS_EXCHANGE_DB" in str(each.get("env")) for each in containers(pod))
        assert uses == any(each.items() <= labels.items() for each in allowed), name


def test_selectors_find_their_pods() -> None:
    all_labels = [labels for _, labels, _ in pods()]
    for each in objects():
        if each["kind"] in ("Service", "PodDisruptionBudget"):
            selector = each["spec"]["selector"]
            selector = selector.get("matchLabels", selector)
            assert any(selector.items() <= labels.items() for labels in all_labels), each["metadata"]["name"]


def test_secrets_that_are_named_are_in_the_example() -> None:
    made = {each["metadata"]["name"]: set(each["stringData"]) for each in objects("secrets.example.yaml")}
    text = "\n".join((FOLDER / name).read_text() for name in MANIFESTS if name != "secrets.example.yaml")
    assert set(re.findall(r"secretRef: \{name: ([\w-]+)\}", text)) <= set(made)
    for name, _, pod in pods():
        for each in containers(pod):
            for variable in each.get("env", ()):
                asked = variable.get("valueFrom", {}).get("secretKeyRef")
                if asked and asked["name"] != "hub":  # the chart's own
                    assert asked["key"] in made[asked["name"]], name
    assert VARIABLE in made["mlsys-course"]
    assert values()["hub"]["existingSecret"] in made
    assert all(
        value.startswith(("CHANGE-ME", "https://"))
        for each in objects("secrets.example.yaml")
        for value in each["stringData"].values()
    )
    assert len("CHANGE-ME") < SHORTEST, "a token that was not replaced must be refused"


def test_no_password_is_in_a_url() -> None:
    for path in FOLDER.glob("*.yaml"):
        assert not re.search(r"://[^/\s@:]+:[^/\s@]+@", path.read_text()), path.name


def test_the_monitor_asks_for_what_the_service_has() -> None:
    monitor = named("ServiceMonitor", "course")["spec"]
    service = named("Service", "course")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    [endpoint] = monitor["endpoints"]
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert endpoint["path"] == "/services/course/metrics"
    assert endpoint["authorization"]["credentials"] == {"name": "mlsys-course", "key": VARIABLE}


def test_the_service_gets_what_it_reads() -> None:
    from hub.service import ServiceSettings

    pod = named("Deployment", "course")["spec"]["template"]["spec"]
    given = {each["name"]: each.get("value", "x") for each in pod["containers"][0]["env"]}
    settings = ServiceSettings.of_environment(given)
    assert settings.prefix == "/services/course/"
    port = named("Service", "course")["spec"]["ports"][0]["port"]
    assert settings.listen.endswith(f":{port}")
    assert values()["hub"]["services"]["course"]["url"] == f"http://course:{port}"
    assert (
        settings.prefix.rstrip("/")
        == values()["singleuser"]["extraEnv"]["MLSYS_COURSE_URL"].partition(f":{port}")[2]
    )


def test_the_commands_that_jobs_run_exist() -> None:
    for _, _, pod in pods():
        for each in containers(pod):
            for line in " ".join(each.get("command", ())).replace("sh -c ", "").split("&&"):
                words = shlex.split(line)
                if words and words[0] == "mlsys":
                    assert words[1] in VERBS


def instructions(name: str) -> list[tuple[str, str]]:
    """(instruction, arguments) of a Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (IMAGES / name).read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def test_there_is_an_image_for_each_part() -> None:
    assert DOCKERFILES == ["Dockerfile.course", "Dockerfile.hub", "Dockerfile.singleuser"]
    assert all((IMAGES / f"{name}.dockerignore").is_file() for name in DOCKERFILES)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_begins_from_a_version_and_ends_as_an_ordinary_user(name: str) -> None:
    steps = instructions(name)
    assert [step for step, _ in steps].count("FROM") == 1
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*", dict(steps[:1])["FROM"])
    users = [given for step, given in steps if step == "USER"]
    assert users[-1] == "1000:1000"
    last = max(place for place, (step, _) in enumerate(steps) if step == "USER")
    assert not [step for step, _ in steps[last:] if step in ("RUN", "COPY", "ADD")]
    assert not [step for step, _ in steps if step == "ADD"]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_copies_what_is_there_and_no_ignored_thing(name: str) -> None:
    ignored = (IMAGES / f"{name}.dockerignore").read_text().split()
    for step, given in instructions(name):
        if step == "COPY":
            for source in given.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source.split("/")[0] not in ignored


def test_students_and_the_hub_get_no_solution() -> None:
    for name in ("Dockerfile.singleuser", "Dockerfile.hub"):
        assert {"solutions", "assignments"} <= set((IMAGES / f"{name}.dockerignore").read_text().split())
        assert not [given for step, given in instructions(name) if step == "COPY" and "solutions" in given]


def test_users_images_and_the_graders_have_the_same_packages() -> None:
    def base(name: str) -> tuple[str, bool]:
        steps = instructions(name)
        locked = any("-c requirements.lock -e" in given for step, given in steps if step == "RUN")
        return dict(steps[:1])["FROM"], locked

    assert base("Dockerfile.singleuser") == base("Dockerfile.course")
    assert base("Dockerfile.course")[1]


def test_the_pages_steps_have_checks_and_name_what_exists() -> None:
    page = (FOLDER / "README.md").read_text()
    steps = re.split(r"\n\d\. ", page.partition("## Steps")[2].partition("\n## ")[0])[1:]
    assert len(steps) == 7
    assert not [step.splitlines()[0] for step in steps if "Check:" not in step]
    for name in re.findall(r"`([\w.]+\.yaml)`", page):
        assert (FOLDER / name).is_file(), name
