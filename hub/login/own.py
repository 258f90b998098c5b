"""Gives the browser of a server's own user the pass to that server (see `hub.spawner.gate`)."""

from __future__ import annotations

import re
import time
from urllib.parse import unquote, urlsplit

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.user import User
from tornado import web

from hub.spawner.gate import COOKIE, DAYS, arrival, is_below, pass_of, server_key


class OwnServerHandler(BaseHandler):  # type: ignore[misc]  # JupyterHub has no types
    """Route /hub/own?next=…: the pass and back to ``next``, an address of the visitor's own server.

    For any other address, a page that says whose it is. ``secret``: what the keys of all servers derive
    from. ``is_https``: people reach the hub by TLS.
    """

    def initialize(self, secret: bytes, is_https: bool) -> None:
        self.secret, self.is_https = secret, is_https

    @web.authenticated
    async def get(self) -> None:
        user = self.current_user
        if not isinstance(user, User):
            raise web.HTTPError(403, "A service has no server of its own.")
        wanted = self.get_query_argument("next", "")
        prefix = user.base_url
        if wanted == prefix.rstrip("/"):
            wanted = prefix
        if not is_below(wanted, prefix):
            await self._refuse(wanted)
            return
        self._give_pass(user)
        self.redirect(arrival(prefix, wanted))

    def _give_pass(self, user: User) -> None:
        session = self.get_session_cookie() or self.set_session_cookie()
        given = pass_of(server_key(self.secret, user.name), session, time.time() + DAYS * 86_400)
        tls = {"secure": True} if self.is_https else {}
        self._set_cookie(COOKIE, given, encrypted=False, path=user.base_url, samesite="Lax", **tls)

    async def _refuse(self, wanted: str) -> None:
        found = re.match(f"{re.escape(self.base_url)}user/([^/]+)", urlsplit(wanted).path)
        owner = unquote(found[1])[:64] if found else ""
        self.set_status(403)
        self.finish(await self.render_template("not-yours.html", owner=owner))
