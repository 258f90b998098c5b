"""What is known of learning platforms, as frozen records. Ids and addresses of theirs are opaque text.

Trusts: whoever makes a record has checked lengths and signs (see ``hub.lti.text``). All times carry UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINEITEM, LINEITEM_READ = f"{AGS}lineitem", f"{AGS}lineitem.readonly"
RESULT_READ, SCORE = f"{AGS}result.readonly", f"{AGS}score"
MEMBERS_READ = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
CANVAS = "canvas"
CANVAS_HOSTS = ("canvas.instructure.com", "canvas.beta.instructure.com", "canvas.test.instructure.com")


@dataclass(frozen=True)
class Registration:
    """The tool as one platform knows it. ``token_url``: where tokens are given out; ``audience``: for whom
    the tool's assertion is, the token URL unless the platform wants another; ``hosts``: the only ones
    that are spoken to, as ``host`` or ``host:port``."""

    issuer: str
    client_id: str
    token_url: str
    hosts: tuple[str, ...]
    audience: str = ""


@dataclass(frozen=True)
class Launch:
    """The endpoints of one course there, as a launch told them or a person wrote them; "" for what is
    not known. ``lineitem``: of the link that was launched; ``family``: the platform's product."""

    registration: Registration
    deployment: str
    context: str
    resource_link: str
    launched: datetime
    lineitems: str = ""
    lineitem: str = ""
    memberships: str = ""
    scopes: tuple[str, ...] = ()
    title: str = ""
    family: str = ""

    @property
    def is_canvas(self) -> bool:
        issuer = urlsplit(self.registration.issuer).hostname or ""
        return self.family.lower() == CANVAS or issuer in CANVAS_HOSTS


@dataclass(frozen=True)
class Person:
    """Who logged in through a platform: ``user_id`` is its ``sub``, ``name`` the hub's user name."""

    issuer: str
    user_id: str
    name: str


@dataclass(frozen=True)
class Participant:
    """Somebody in the course's roster there. ``learns``: an active learner, who can have a grade."""

    user_id: str
    learns: bool
    sis_id: str = ""
    login: str = ""
    email: str = ""
    full_name: str = ""


@dataclass(frozen=True)
class LineItem:
    """A column of the platform's gradebook; ``id`` is its address."""

    id: str
    label: str
    maximum: float
    resource_id: str = ""
    resource_link: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Result:
    """The grade of a user in a line item as the platform shows it; ``score`` None: it has none."""

    user_id: str
    score: float | None
    maximum: float

    @property
    def share(self) -> float | None:
        """Of the maximum: platforms rescale to the maximum of their column."""
        return None if self.score is None else self.score / self.maximum
