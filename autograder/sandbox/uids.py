"""User ids for boxes in root mode: one that no other live box on this host has.

Theory of operation. The kernel counts some things by user id, across all boxes: descriptors on their way
through sockets, pages in pipes, pending signals. So a box gets an id of its own for as long as it lives:
whoever gives one out locks that id's file in a folder that only root can enter, and the lock ends with
the process at the latest. The files stay; they are empty, and as many as there are ids.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import ExitStack
from pathlib import Path

from autograder.sandbox.errors import BoxFailed

FIRST, COUNT = 64001, 512
_FOLDER = Path("/run/mlsys-box-uids")


def take_uid(owner: ExitStack, folder: Path = _FOLDER) -> int:
    """A free id, which is free again when ``owner`` is closed. Raises BoxFailed where all are taken."""
    start = secrets.randbelow(COUNT)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for step in range(COUNT):
            uid = FIRST + (start + step) % COUNT
            if _locked(folder / str(uid), owner):
                return uid
    except OSError as error:
        raise BoxFailed(
            f"no user id can be kept for a box: {error}; root must be able to write there"
        ) from error
    raise BoxFailed(f"{COUNT} boxes are open on this host, which is all that get user ids of their own")


def _locked(file: Path, owner: ExitStack) -> bool:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    owner.callback(os.close, descriptor)
    return True
