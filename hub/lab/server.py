"""The extension of a user's Jupyter server: it stands between JupyterLab's page and the course service.

``POST mlsys/check`` with ``{"path": …}`` sends that notebook to be checked and passes the news on. The
stock server's "Validate" button (in nbgrader's assignment list) and the formgrader's "Autograde" get the
same judge: their addresses are answered here, where Jupyter looks before it looks at nbgrader's own.

Contract: who may call is decided by Jupyter's own login and XSRF check; the hub's token stays in this
process. Loaded before nbgrader's extensions, since Jupyter loads them in the order of their names.
"""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.utils import url_path_join

from hub.exchange.records import Role
from hub.lab.checking import CheckHandler, ValidateHandler
from hub.lab.course import CourseLink


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "hub.lab.server"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Called by Jupyter's server when it starts."""
    link = CourseLink.of_environment(os.environ)
    settings = server.web_app.settings
    settings["mlsys_course"] = link
    if link is not None:
        settings.setdefault("page_config_data", {})["mlsysCoursePage"] = link.page
    handlers: list[tuple[str, type]] = [
        ("mlsys/check", CheckHandler),
        ("assignments/validate", ValidateHandler),
    ]
    if os.environ.get("MLSYS_ROLE") == Role.INSTRUCTOR:
        from hub.lab import formgrader  # nbgrader's, which students' servers don't load

        formgrader.wait_for_locks()
        formgrader.confine_files()
        handlers.append((formgrader.ADDRESS, formgrader.AutogradeHandler))
    base = settings["base_url"]
    server.web_app.add_handlers(".*$", [(url_path_join(base, path), handler) for path, handler in handlers])
    server.log.info("mlsys-course: %s", f"course at {link.url}" if link else "no MLSYS_COURSE_URL, no checks")
