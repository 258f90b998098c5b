"""What users' servers in containers need to know, by role: a hook that every container spawner shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.exchange.records import Role
from hub.lab import environment
from hub.settings import HubSettings


def lab_of_role(settings: HubSettings, course_url: str) -> Callable[[Any], None]:
    """The ``pre_spawn_hook``: JupyterLab's settings of the role, and where the course service is."""

    def hook(spawner: Any) -> None:
        role = Role.INSTRUCTOR if spawner.user.name in settings.instructors else Role.STUDENT
        spawner.environment.update(environment(role) | {"MLSYS_COURSE_URL": course_url})

    return hook
