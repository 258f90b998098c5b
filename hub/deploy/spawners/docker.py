"""Users' servers as Docker containers on this machine (dockerspawner 14).

A configuration file: copy it beside hub.toml and name it there: ``[server] config = "docker.py"``. Before:

    docker build -f hub/deploy/kubernetes/images/Dockerfile.singleuser -t mlsys/singleuser:0.1.0 .
    docker network create --internal --subnet 172.30.0.0/24 --gateway 172.30.0.1 mlsys

and in hub.toml ``ip = "172.30.0.1"``, which is also where Caddy then finds the hub. The network is internal:
containers reach this machine and nothing else. The hub's user must be in the group ``docker``, which is as
good as root; the boxed spawner needs no such right.
"""

# ruff: noqa: F821 - the hub gives c and settings

from typing import Any

from hub.deploy.spawners.lab import lab_of_role
from hub.settings import HubSettings

c: Any  # given by the hub, with the settings of hub.toml
settings: HubSettings

GATEWAY = "172.30.0.1"

c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.JupyterHub.hub_ip = GATEWAY
c.DockerSpawner.image = "mlsys/singleuser:0.1.0"
c.DockerSpawner.network_name = "mlsys"
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.remove = True
c.DockerSpawner.notebook_dir = "/home/student"
c.DockerSpawner.volumes = {"mlsys-home-{username}": "/home/student"}
c.DockerSpawner.mem_limit = "2G"
c.DockerSpawner.cpu_limit = 2.0
c.DockerSpawner.extra_create_kwargs = {"user": "1000:1000"}
c.DockerSpawner.extra_host_config = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "pids_limit": 256,
}
c.Spawner.pre_spawn_hook = lab_of_role(settings, f"http://{GATEWAY}:{settings.port}/services/course")
