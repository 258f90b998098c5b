"""JupyterHub's configuration file: everything it says follows from a hub's hub.toml.

Run with MLSYS_HUB_STATE naming the state directory; `mlsys up` does that.
"""

import os
from pathlib import Path

from hub.configure import configure
from hub.settings import read_settings

configure(get_config(), read_settings(Path(os.environ["MLSYS_HUB_STATE"])))  # type: ignore[name-defined]  # noqa: F821 - JupyterHub gives it
