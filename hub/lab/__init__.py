"""JupyterLab for the course: what a user's server is given, by role.

Contract: ``folders`` are to be shown to the server read-only at the places that they name, and
``environment`` to be set; the packages autograder, course and hub must be importable there. With
``MLSYS_COURSE_URL`` and ``JUPYTERHUB_API_TOKEN`` the server then reaches the course service. An instructor's
server needs ``MLSYS_COURSE_DIR`` too, below the folder that the server shows: the formgrader refuses a
course directory elsewhere. Nothing secret is in these folders.

    share/labextensions/   the JupyterLab extension (no build step: plain ES modules)
    config/everyone/       server extension, settings' defaults, nbgrader's configuration
    config/student/        what students have no use for is switched off
    config/instructor/     the formgrader stays
"""

from __future__ import annotations

import os
from pathlib import Path

from hub.exchange.records import Role

HERE = Path(__file__).parent
PLACE = "/opt/mlsys-lab"
SHOWN = ("share", "config")


def folders(role: Role, place: str = PLACE) -> tuple[tuple[Path, str], ...]:
    """(folder on this host, where the server must see it) of what a user's server is shown."""
    return tuple((HERE / name, f"{place}/{name}") for name in SHOWN)


def environment(role: Role, place: str = PLACE) -> dict[str, str]:
    """Jupyter's search paths. ``place`` is where the server sees the folders."""
    config = (f"{place}/config/{role.value}", f"{place}/config/everyone")
    return {
        "JUPYTER_PATH": f"{place}/share",
        "JUPYTER_CONFIG_PATH": os.pathsep.join(config),
        "MLSYS_ROLE": role.value,
    }
