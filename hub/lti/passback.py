"""All that a push needs of one course there, opened together: connection, token, log, who is who.

Contract: opened by one command or page, closed by it. Opens no connection before something is asked.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from autograder.errors import PlatformError
from hub.exchange.exchange import Exchange
from hub.lti.client import Client
from hub.lti.keys import tool_keys
from hub.lti.launches import Launches
from hub.lti.log import PushLog
from hub.lti.members import read_members
from hub.lti.records import LINEITEM, LINEITEM_READ, MEMBERS_READ, RESULT_READ, SCORE, Launch, Participant
from hub.lti.text import shown
from hub.lti.tokens import Tokens
from hub.lti.wire import Pace, Wire

LOGIN_IN = "login"  # the custom parameter that lti.py asks platforms for
WANTED = (LINEITEM, LINEITEM_READ, RESULT_READ, SCORE)
NEEDED = (SCORE, RESULT_READ)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Passback:
    """The way back to one course of a platform."""

    exchange: Exchange
    launch: Launch
    client: Client
    launches: Launches
    log: PushLog
    clock: Clock = utc_now

    def members(self) -> tuple[Participant, ...]:
        """The course's roster there. Raises PlatformError, also where its address isn't known."""
        if not self.launch.memberships:
            raise PlatformError(
                "the platform didn't say where the course's roster is: allow the tool its service for names "
                "and roles there, and open the tool once more; or `mlsys lti register --memberships`"
            )
        return read_members(self.client, self.launch.memberships, LOGIN_IN)

    def logins(self) -> dict[str, str]:
        """User id there -> hub name, from launches."""
        return {each.user_id: each.name for each in self.launches.people(self.launch.registration.issuer)}

    def require_scopes(self) -> None:
        """Raises PlatformError where the tool may not send scores and read them back."""
        missing = [scope for scope in NEEDED if scope not in self.client.tokens.granted()]
        if missing:
            raise PlatformError(
                f"the platform doesn't grant {', '.join(missing)}: allow the tool its service for grades "
                "there (what is sent is read back, or nothing is sent)"
            )

    def require_lineitems(self) -> str:
        """The address of the gradebook's columns. Raises PlatformError."""
        if not self.launch.lineitems:
            raise PlatformError(
                f"the platform didn't say where the columns of {shown(self.launch.context)} are: allow the "
                "tool grade sync and column management there, and open it once more; or `mlsys lti register "
                "--lineitems`"
            )
        return self.launch.lineitems


@contextlib.contextmanager
def open_passback(
    exchange: Exchange,
    context: str = "",
    *,
    pace: Pace | None = None,
    stop: threading.Event | None = None,
    clock: Clock = utc_now,
) -> Iterator[Passback]:
    """The way back to the course that was launched, or to the one with this context id.

    Raises PlatformError where none is known, AuthorError where there are several.
    """
    launches, log = Launches(exchange.database), PushLog(exchange.database)
    launch = launches.course(context)
    key = tool_keys(exchange.course_dir).signing
    with Wire(launch.registration.hosts, pace=pace, stop=stop) as wire:
        tokens = Tokens(wire, launch.registration, key, _scopes(launch))
        yield Passback(exchange, launch, Client(wire, tokens), launches, log, clock)


def _scopes(launch: Launch) -> tuple[str, ...]:
    """Those of grades that the launch offers (all, where nobody said), and that of names."""
    grades = tuple(scope for scope in WANTED if not launch.scopes or scope in launch.scopes)
    return (*grades, MEMBERS_READ) if launch.memberships else grades
