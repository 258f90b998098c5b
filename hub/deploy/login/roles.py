"""From what an institution says of a person to their place on the course's roster.

Contract: JupyterHub calls the hook that ``enrolling`` makes after each login, with a token or profile that
the authenticator has verified. The person is put on the roster with the role that the institution gives
them in this course; who is in ``instructors`` of hub.toml is an instructor whatever it says. A
login that lacks what it must have is refused, never admitted under another name.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any

from hub.exchange.opening import open_exchange_of
from hub.exchange.records import Member, Role
from hub.settings import USER, HubSettings

ROLES = "https://purl.imsglobal.org/spec/lti/claim/roles"
CUSTOM = "https://purl.imsglobal.org/spec/lti/claim/custom"
# Roles in this course. "institution/person#Instructor" says that somebody teaches somewhere: not enough.
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
STAFF = frozenset({f"{MEMBERSHIP}#Instructor", f"{MEMBERSHIP}/Instructor#TeachingAssistant"})

Profile = Mapping[str, Any]
Authentication = dict[str, Any]
Read = Callable[[Profile], Member | None]
Hook = Callable[[Any, Any, Authentication], Coroutine[Any, Any, Authentication | None]]


def lti_member(token: Profile, *, name_in: str = "login") -> Member | None:
    """Who a verified LTI 1.3 token is about; None where it doesn't say.

    ``name_in``: the custom parameter that has the user name, as the learning platform was told to send it.
    """
    name = _mapping(token.get(CUSTOM)).get(name_in)
    roles = token.get(ROLES)
    if not isinstance(name, str) or not name or not isinstance(roles, list):
        return None
    role = Role.INSTRUCTOR if any(each in STAFF for each in roles if isinstance(each, str)) else Role.STUDENT
    return Member(name.lower(), role, _text(token.get("name")), _text(token.get("email")))


def oauth_member(
    profile: Profile, *, name_in: str, staff_groups: Collection[str] = (), groups_in: str = "groups"
) -> Member | None:
    """Who a verified OAuth profile is about; staff are those in one of ``staff_groups``."""
    name, groups = profile.get(name_in), profile.get(groups_in)
    if not isinstance(name, str) or not name:
        return None
    theirs = {each for each in groups if isinstance(each, str)} if isinstance(groups, list) else set()
    role = Role.INSTRUCTOR if theirs & set(staff_groups) else Role.STUDENT
    return Member(name.lower(), role, _text(profile.get("name")), _text(profile.get("email")))


def enrolling(settings: HubSettings, read: Read, profile_in: str = "") -> Hook:
    """The ``post_auth_hook``. ``profile_in``: the key of the profile in the authenticator's state."""

    async def hook(authenticator: Any, handler: Any, authentication: Authentication) -> Authentication | None:
        state = _mapping(authentication.get("auth_state"))
        member = read(_mapping(state.get(profile_in)) if profile_in else state)
        fits = member is not None and re.fullmatch(USER, member.name) is not None
        if member is None or not fits or member.name != authentication["name"]:
            authenticator.log.warning("a login without a user name, or with another one, was refused")
            return None
        if member.name in settings.instructors:
            member = Member(member.name, Role.INSTRUCTOR, member.full_name, member.email)
        await asyncio.to_thread(_enrol, settings, member)
        return authentication

    return hook


def _enrol(settings: HubSettings, member: Member) -> None:
    with open_exchange_of(settings) as exchange:
        exchange.enrol([member])


def _mapping(found: object) -> Profile:
    return found if isinstance(found, Mapping) else {}


def _text(found: object) -> str:
    return found[:200] if isinstance(found, str) else ""
