"""Other spawners are a setting away: their files name what the spawners have."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyterhub.app import JupyterHub

from hub.exchange.records import Role
from hub.lab import environment
from hub.settings import HubSettings
from tests.hub.command import ROOT
from tests.hub.deploy.configuration import class_of, load, require_known

FOLDER = ROOT / "hub" / "deploy" / "spawners"
SPAWNERS = ("docker", "systemd", "kubernetes")


@pytest.fixture
def settings(tmp_path: Path) -> HubSettings:
    return HubSettings(tmp_path / "hub", tmp_path / "course.toml", tmp_path / "course", ("ines",))


@pytest.mark.parametrize("name", SPAWNERS)
def test_the_spawner_has_every_name_that_its_file_sets(name: str, settings: HubSettings) -> None:
    c = load(FOLDER / f"{name}.py", settings)
    pytest.importorskip(c.JupyterHub.spawner_class.split(".")[0], reason="the extra 'deploy' isn't installed")
    require_known(c, JupyterHub, class_of(c.JupyterHub.spawner_class))


@pytest.mark.parametrize("name", SPAWNERS)
def test_the_page_names_the_file(name: str) -> None:
    assert f"`{name}.py`" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("name", SPAWNERS)
def test_a_server_learns_its_role_and_where_the_course_is(name: str, settings: HubSettings) -> None:
    hook = load(FOLDER / f"{name}.py", settings).Spawner.pre_spawn_hook
    for user, role in (("ines", Role.INSTRUCTOR), ("ada", Role.STUDENT)):
        spawner = SimpleNamespace(user=SimpleNamespace(name=user), environment={"KEPT": "1"})
        hook(spawner)
        assert spawner.environment.items() >= {"KEPT": "1", **environment(role)}.items()
        assert re.fullmatch(r"http://[\w.]+:\d+/services/course", spawner.environment["MLSYS_COURSE_URL"])


def test_servers_in_containers_have_no_privileges(settings: HubSettings) -> None:
    docker = load(FOLDER / "docker.py", settings).DockerSpawner
    assert docker.extra_host_config["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in docker.extra_host_config["security_opt"]
    pods = load(FOLDER / "kubernetes.py", settings).KubeSpawner
    assert (pods.privileged, pods.allow_privilege_escalation) == (False, False)
    assert not pods.automount_service_account_token
    hidden = load(FOLDER / "systemd.py", settings).SystemdSpawner.unit_extra_properties["InaccessiblePaths"]
    assert {str(settings.state), str(settings.course_dir)} <= set(hidden.split())
