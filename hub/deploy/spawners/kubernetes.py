"""Users' servers as pods of a cluster, for a hub that is not in the chart (jupyterhub-kubespawner 7).

With the Zero to JupyterHub chart use ../kubernetes/values.yaml, which says the same. A configuration file:
copy it beside hub.toml and name it there: ``[server] config = "kubernetes.py"``. The hub must run
in the cluster, or where pods can reach it.
"""

# ruff: noqa: F821 - the hub gives c and settings

from typing import Any

from hub.deploy.spawners.lab import lab_of_role
from hub.settings import HubSettings

c: Any  # given by the hub, with the settings of hub.toml
settings: HubSettings

c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.KubeSpawner.namespace = "mlsys"
c.KubeSpawner.image = "registry.example.org/mlsys/singleuser:0.1.0"
c.KubeSpawner.automount_service_account_token = False
c.KubeSpawner.uid = 1000
c.KubeSpawner.gid = 1000
c.KubeSpawner.fs_gid = 1000
c.KubeSpawner.privileged = False
c.KubeSpawner.allow_privilege_escalation = False
c.KubeSpawner.container_security_context = {
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
c.KubeSpawner.mem_guarantee = "512M"
c.KubeSpawner.mem_limit = "2G"
c.KubeSpawner.cpu_guarantee = 0.2
c.KubeSpawner.cpu_limit = 2.0
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = "2Gi"
c.KubeSpawner.pvc_name_template = "home-{user_server}"
c.KubeSpawner.volumes = [{"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}]
c.KubeSpawner.volume_mounts = [{"name": "home", "mountPath": "/home/student"}]
c.KubeSpawner.extra_pod_config = {"enableServiceLinks": False}
c.Spawner.pre_spawn_hook = lab_of_role(settings, "http://course:9001/services/course")
