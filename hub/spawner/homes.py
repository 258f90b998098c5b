"""Users' homes: one folder each, readable by nobody else.

Contract: the name is a hub user's and is checked here again before it becomes a path. In root mode a
home belongs to a uid of its user's own, which the user's box runs under.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from autograder.errors import PlatformError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
# Beside the boxes' own 64001–64512, and within the 65,536 uids that a container has.
FIRST_UID, LAST_UID = 64600, 65500


def home_of(homes: Path, name: str, *, own_uid: bool, uid: int | None = None) -> Path:
    """The user's home, made on first use, and its owner's to the last file.

    ``uid`` is who must own it; by default a uid of the range that no other home has. Somebody who became
    an instructor, or no longer is one, keeps the files. Raises PlatformError for a name that may not be
    a folder's.
    """
    if not NAME.fullmatch(name):
        raise PlatformError(f"{name[:80]!r} can't have a home: letters, digits, dots, dashes, at most 64")
    homes.mkdir(mode=0o711, parents=True, exist_ok=True)
    home = homes / name
    if not home.is_dir():
        fresh = homes / f".new-{name}"
        fresh.mkdir(mode=0o700, exist_ok=True)
        fresh.rename(home)
    if own_uid:
        owner = home.stat().st_uid
        wrong = owner not in range(FIRST_UID, LAST_UID + 1) if uid is None else owner != uid
        if wrong:
            _give(home, free_uid(homes) if uid is None else uid)
    return home


def _give(home: Path, owner: int) -> None:
    """The home last, so that a giving that was stopped begins anew. No link is followed."""
    for top, folders, files in os.walk(home, topdown=False):
        for name in (*folders, *files):
            os.lchown(Path(top, name), owner, owner)
    os.lchown(home, owner, owner)


def free_uid(homes: Path) -> int:
    """A uid that owns no home; past the last one they are shared, as all are without root."""
    taken = {home.stat().st_uid for home in homes.iterdir()}
    free = (uid for uid in range(FIRST_UID, LAST_UID + 1) if uid not in taken)
    return next(free, FIRST_UID + len(taken) % (LAST_UID + 1 - FIRST_UID))
