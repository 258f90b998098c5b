"""Names and Role Provisioning Services 2.0: who is in the course there.

Contract: ids are opaque text. Only an active learner of this very context can have a grade: platforms refuse
one for a teacher, for who was dropped, and for a role that somebody has elsewhere in the institution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.lti.claims import CLAIM
from hub.lti.client import Client
from hub.lti.records import Participant
from hub.lti.text import Unreadable, mapping, opaque, plain, sequence

KIND = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
WHAT = "the course's roster there"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
LEARNERS = frozenset({"Learner", f"{MEMBERSHIP}#Learner"})
LEARNER_KIND = f"{MEMBERSHIP}/Learner#"
ACTIVE = "active"
MOST = 200_000


def read_members(client: Client, url: str, login_in: str) -> tuple[Participant, ...]:
    """Everybody there, each once. ``login_in``: the custom parameter that has the login name.

    Without a ``limit``: a platform's paging isn't relied upon, but followed where it pages anyway.
    """
    found: dict[str, Participant] = {}
    for page in client.pages(url, KIND, WHAT):
        for each in sequence(mapping(page, WHAT).get("members"), WHAT):
            member = _member(mapping(each, WHAT), login_in)
            found[member.user_id] = member
        if len(found) > MOST:
            raise Unreadable(f"{WHAT} has more than {MOST} people; is this one course?")
    return tuple(found.values())


def _member(found: Mapping[str, Any], login_in: str) -> Participant:
    roles = found.get("roles")
    listed = [each for each in roles if isinstance(each, str)] if isinstance(roles, list) else []
    status = plain(found.get("status")) or ACTIVE  # left out, it is Active
    return Participant(
        user_id=opaque(found.get("user_id"), WHAT),
        learns=status.lower() == ACTIVE and any(map(_is_learner, listed)),
        sis_id=plain(found.get("lis_person_sourcedid")),
        login=_login(found, login_in),
        email=plain(found.get("email")),
        full_name=plain(found.get("name")),
    )


def _is_learner(role: str) -> bool:
    return role in LEARNERS or role.startswith(LEARNER_KIND)


def _login(found: Mapping[str, Any], login_in: str) -> str:
    """The login name: in Moodle's own field, or in the launch's custom parameter where it is repeated."""
    if own := plain(found.get("ext_user_username")):
        return own
    messages = found.get("message")
    for message in messages if isinstance(messages, list) else ():
        custom = message.get(f"{CLAIM}custom") if isinstance(message, dict) else None
        if isinstance(custom, dict) and (login := plain(custom.get(login_in))):
            return login
    return ""
