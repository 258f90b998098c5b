"""nbgrader's settings in a user's server: the exchange goes through the course service.

Contract: called by ``config/everyone/nbgrader_config.py``, which Jupyter's search path finds, for
JupyterLab's extensions and for the command line alike. Where there is a course directory
(instructors) its own ``nbgrader_config.py`` is read by nbgrader after this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.exchange.plugins import configure_exchange


def configure(c: Any, environment: Mapping[str, str]) -> None:
    """Fills nbgrader's configuration object."""
    if environment.get("MLSYS_COURSE_URL"):
        configure_exchange(c)
    if course_dir := environment.get("MLSYS_COURSE_DIR"):
        c.CourseDirectory.root = course_dir
        # The formgrader shows students' cells and outputs on the hub's own origin.
        c.HTMLExporter.sanitize_html = True
        c.HTMLExporter.filters = {"markdown2html": "hub.lab.inert.markdown_to_html"}
