"""Users' servers as systemd units of this machine (jupyterhub-systemdspawner 1).

A configuration file: copy it beside hub.toml and name it there: ``[server] config = "systemd.py"``. The hub
must run as root. Each server runs as a user that systemd makes for it and that has nothing on this
machine. It shares the machine's network: a firewall rule must keep these users from leaving it.
"""

# ruff: noqa: F821 - the hub gives c and settings

from typing import Any

from hub.deploy.spawners.lab import lab_of_role
from hub.settings import PACKAGES, HubSettings

c: Any  # given by the hub, with the settings of hub.toml
settings: HubSettings

c.JupyterHub.spawner_class = "systemdspawner.SystemdSpawner"
c.SystemdSpawner.dynamic_users = True
c.SystemdSpawner.unit_name_template = "mlsys-user-{USERNAME}"
c.SystemdSpawner.slice = "mlsys.slice"
c.SystemdSpawner.mem_limit = "2G"
c.SystemdSpawner.cpu_limit = 2.0
c.SystemdSpawner.isolate_tmp = True
c.SystemdSpawner.isolate_devices = True
c.SystemdSpawner.disable_user_sudo = True
c.SystemdSpawner.extra_paths = [str(PACKAGES / ".venv" / "bin")]
c.SystemdSpawner.unit_extra_properties = {
    "TasksMax": "256",
    "ProtectHome": "yes",
    "ProtectProc": "invisible",
    "CapabilityBoundingSet": "",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    # The course's files, the hub's and their backups.
    "InaccessiblePaths": f"{settings.state} {settings.course_dir} -/var/backups/mlsys -{PACKAGES}/solutions",
}
c.Spawner.pre_spawn_hook = lab_of_role(settings, f"http://127.0.0.1:{settings.port}/services/course")
