"""The page on which somebody from the roster replaces a one-time password."""

from __future__ import annotations

from nativeauthenticator.handlers import LocalBase


class FirstLoginHandler(LocalBase):  # type: ignore[misc]  # NativeAuthenticator has no types
    """Routes /hub/first-login: the form, and what it sends. JupyterHub checks the _xsrf field."""

    async def get(self) -> None:
        await self._show()

    async def post(self) -> None:
        word = {name: self.get_body_argument(name, "", strip=False) for name in FIELDS}
        if word["password"] != word["again"]:
            await self._show("The two new passwords differ.", word["username"], status=400)
            return
        problem = self.authenticator.first_login(word["username"], word["one_time"], word["password"])
        if problem is not None:
            await self._show(problem, word["username"], status=403)
            return
        user = await self.login_user({"username": word["username"], "password": word["password"]})
        self.redirect(self.get_next_url(user) if user else self.settings["login_url"])

    async def _show(self, problem: str = "", username: str = "", status: int = 200) -> None:
        self.set_status(status)
        page = await self.render_template(
            "first-login.html",
            problem=problem,
            username=username,
            shortest=self.authenticator.minimum_password_length,
        )
        self.finish(page)


FIELDS = ("username", "one_time", "password", "again")
