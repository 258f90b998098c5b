"""``python -m hub.proxy``: installs the proxy."""

from __future__ import annotations

import sys

from autograder.errors import PlatformError
from hub.proxy import install

if __name__ == "__main__":
    try:
        install()
    except PlatformError as error:
        sys.exit(f"error: {error}")
