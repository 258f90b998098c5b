"""Pages of the login: replacing a one-time password, and letting in who signed up."""

from __future__ import annotations

from enum import StrEnum

from jupyterhub.scopes import needs_scope
from nativeauthenticator.handlers import LocalBase
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError

FIELDS = ("username", "one_time", "password", "again")


class Decision(StrEnum):
    """What an instructor decides on somebody who signed up."""

    APPROVE = "approve"
    LOCK = "lock"
    DISCARD = "discard"


class ApprovalHandler(LocalBase):  # type: ignore[misc]  # NativeAuthenticator has no types
    """Routes /hub/authorize: who signed up, and one button for each decision.

    NativeAuthenticator decides on a GET request, which any picture in a student's notebook can make an
    instructor's browser send.
    """

    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        users = sorted(
            UserInfo.all_users(self.db), key=lambda user: (bool(user.is_authorized), user.username)
        )
        self.finish(
            await self.render_template("approval.html", users=users, staff=self.authenticator.admin_users)
        )

    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        user = UserInfo.find(self.db, self.get_body_argument("username"))
        decision = self.get_body_argument("decision")
        if user is None or decision not in list(Decision):
            raise HTTPError(404, "nobody of that name has signed up, or it was decided meanwhile")
        if user.username in self.authenticator.admin_users:
            raise HTTPError(403, "instructors are named in hub.toml")
        if decision == Decision.DISCARD:
            if user.is_authorized:
                raise HTTPError(409, "that person is in the course; lock the account instead")
            self.db.delete(user)
        else:
            user.is_authorized = decision == Decision.APPROVE
        self.db.commit()
        self.redirect(self.hub.base_url + "authorize")


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
