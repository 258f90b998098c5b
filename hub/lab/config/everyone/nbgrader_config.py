"""nbgrader's configuration in a user's server; see hub.lab.nbgrader_config."""

import os

from hub.lab.nbgrader_config import configure

configure(get_config(), os.environ)  # type: ignore[name-defined]  # noqa: F821 - traitlets gives it
