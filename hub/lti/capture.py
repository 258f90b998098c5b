"""Copies what each launch tells into the table of launches, as people log in through LTI.

Contract: JupyterHub calls the hook after each login; it asks ``admit`` first, and keeps nothing of somebody
who isn't let in. A launch that can't be kept is no reason to refuse a login: the log says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from autograder.errors import PlatformError
from hub.deploy.login.roles import Authentication, Hook
from hub.exchange.opening import open_exchange_of
from hub.lti.addresses import host_of, require_url
from hub.lti.claims import Seen, read_claims
from hub.lti.launches import Launches
from hub.lti.records import Registration
from hub.settings import HubSettings


def keeping_launches(
    settings: HubSettings, admit: Hook, *, token_url: str, hosts: Collection[str] = (), audience: str = ""
) -> Hook:
    """The ``post_auth_hook`` that keeps launches beside what ``admit`` does.

    ``token_url``: where the platform gives out tokens; ``hosts``: of its services, if they are at others
    than that; ``audience``: what assertions name, if it isn't the token URL. Raises AuthorError.
    """
    require_url(token_url, "token_url")
    known = tuple(dict.fromkeys([host_of(token_url), *hosts]))

    async def hook(authenticator: Any, handler: Any, authentication: Authentication) -> Authentication | None:
        admitted = await admit(authenticator, handler, authentication)
        token = admitted.get("auth_state") if admitted is not None else None
        if admitted is None or not isinstance(token, Mapping):
            return admitted
        registrations = [
            Registration(authenticator.issuer, client_id, token_url, known, audience)
            for client_id in authenticator.client_id
        ]
        try:
            seen = read_claims(token, str(admitted["name"]), registrations, datetime.now(UTC))
            for words in seen.refused:
                authenticator.log.warning("of the launch by %s was not kept: %s", admitted["name"], words)
            await asyncio.to_thread(_note, settings, seen)
        except PlatformError as error:
            authenticator.log.error("the launch by %s was not kept: %s", admitted["name"], error)
        return admitted

    return hook


def _note(settings: HubSettings, seen: Seen) -> None:
    with open_exchange_of(settings) as exchange:
        Launches(exchange.database).note(seen.launch, seen.person)
