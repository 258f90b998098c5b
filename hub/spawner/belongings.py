"""What a user's server is given beside its home, by the user's role in the course.

Contract: students get the Jupyter settings of this project and nothing of the course: releases come
through the course service. An instructor's server gets the course directory, writable, and the course's
source, and runs as the owner of the course directory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.exchange.opening import open_exchange_of
from hub.lab import environment, folders
from hub.settings import HubSettings

Binds = tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Belongings:
    """``binds``: (source, target in the box, writable). ``uid``: who the server is in root mode."""

    env: dict[str, str] = field(default_factory=dict)
    binds: Binds = ()
    uid: int | None = None


def belongings_of(settings: HubSettings) -> Callable[[str], Belongings]:
    """The function that the spawner asks, by user name."""

    def belongings(name: str) -> Belongings:
        with open_exchange_of(settings) as exchange:
            member = exchange.member(name)
        env = environment(member.role) | {
            "MLSYS_COURSE_URL": f"http://127.0.0.1:{settings.port}/services/course"
        }
        shown = tuple((str(source), target, False) for source, target in folders(member.role))
        if not member.is_staff:
            return Belongings(env, shown)
        # The formgrader shows only what lies below the folder that the server shows.
        inside = f"/home/{name}/course"
        return Belongings(
            env | {"MLSYS_COURSE_DIR": inside},
            (*shown, (str(settings.course_dir), inside, True)),
            settings.course_dir.stat().st_uid,
        )

    return belongings
