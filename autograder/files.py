"""Files that appear whole, in the place of the one before, or not at all.

Contract: raises OSError, and leaves nothing behind then; who is killed leaves a hidden file beside the place.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Puts a file in its place, in a folder that exists. ``durable``: its bytes are on the disk before."""
    incoming = lay_beside(path, data, mode=mode, durable=durable)
    try:
        incoming.replace(path)
    except BaseException:
        incoming.unlink(missing_ok=True)
        raise


def lay_beside(path: Path, data: bytes, *, mode: int = 0o600, durable: bool = False) -> Path:
    """A finished file that only has to be renamed to ``path``, or removed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).chmod(mode)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
