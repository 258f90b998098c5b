"""From the claims of a verified launch to what is kept of it.

Contract: pure. The token's signature, issuer, audience and times were checked by the authenticator;
what a claim holds is checked here. A part that doesn't fit is left out, and an address at a host that
isn't registered for the platform counts as one that doesn't fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.lti.addresses import Elsewhere, require_host
from hub.lti.records import Launch, Person, Registration
from hub.lti.text import plain

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
MOST_SCOPES = 50


@dataclass(frozen=True)
class Seen:
    """``launch`` is None where the token has no course or no endpoint; ``refused``: why addresses in it
    were left out."""

    launch: Launch | None
    person: Person | None
    refused: tuple[str, ...] = ()


def read_claims(
    token: Mapping[str, Any], name: str, registrations: Collection[Registration], now: datetime
) -> Seen:
    """``name``: the hub's user; ``registrations``: the tool as the configured platforms know it."""
    registration = _registration(token, registrations)
    if registration is None:
        return Seen(None, None, ("its issuer and client id are not those that are configured",))
    refused: list[str] = []
    endpoint, roster = _mapping(token.get(AGS_CLAIM)), _mapping(token.get(NRPS_CLAIM))
    context = _mapping(token.get(f"{CLAIM}context"))
    launch = Launch(
        registration,
        deployment=plain(token.get(f"{CLAIM}deployment_id")),
        context=plain(context.get("id")),
        resource_link=plain(_mapping(token.get(f"{CLAIM}resource_link")).get("id")),
        launched=now,
        lineitems=_address(endpoint.get("lineitems"), registration, refused),
        lineitem=_address(endpoint.get("lineitem"), registration, refused),
        memberships=_address(roster.get("context_memberships_url"), registration, refused),
        scopes=_scopes(endpoint.get("scope")),
        title=plain(context.get("title")) or plain(context.get("label")),
        family=plain(_mapping(token.get(f"{CLAIM}tool_platform")).get("product_family_code"), 64),
    )
    user_id = plain(token.get("sub"))
    person = Person(registration.issuer, user_id, name) if user_id else None
    is_of_use = launch.context and (launch.lineitems or launch.lineitem or launch.memberships)
    return Seen(launch if is_of_use else None, person, tuple(refused))


def _registration(token: Mapping[str, Any], registrations: Collection[Registration]) -> Registration | None:
    audience = token.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    ours = {each for each in listed if isinstance(each, str)}
    if len(listed) > 1:
        azp = token.get("azp")
        ours = {azp} if isinstance(azp, str) else set()
    fits = (each for each in registrations if each.issuer == token.get("iss") and each.client_id in ours)
    return next(fits, None)


def _address(found: object, registration: Registration, refused: list[str]) -> str:
    text = plain(found)
    if not text:
        return ""
    try:
        return require_host(text, registration.hosts, "an address in the launch")
    except Elsewhere as error:
        refused.append(str(error))
        return ""


def _scopes(found: object) -> tuple[str, ...]:
    listed = found[:MOST_SCOPES] if isinstance(found, list) else []
    # Parted by spaces in a token request: a scope with one would be two.
    return tuple(scope for each in listed if (scope := plain(each)) and " " not in scope)


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}
