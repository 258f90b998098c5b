"""The hub's own login: NativeAuthenticator, whose accounts may also come from a roster.

Contract: JupyterHub calls ``authenticate``. Somebody with a waiting account logs in with its password;
if that is a one-time password, the only thing it opens is the page on which it is replaced. Sign-up is
open to all and lets nobody in before an instructor has approved.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from traitlets import Unicode

from hub.login.accounts import LONGEST_PASSWORD, Account, Accounts, hashed
from hub.login.pages import ApprovalHandler, FirstLoginHandler


class RosterAuthenticator(NativeAuthenticator):  # type: ignore[misc]  # it has no types
    """NativeAuthenticator with waiting accounts."""

    state_dir = Unicode(config=True, help="The hub's state directory, which holds the waiting accounts")

    @property
    def accounts(self) -> Accounts:
        return Accounts(Path(self.state_dir))

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        name = str(self.normalize_username(data["username"]))
        waiting = self.accounts.find(name)
        if waiting is None or self.user_exists(name):
            found = await super().authenticate(handler, data)
            return str(found) if found else None
        if not self._opens(waiting, data["password"]) or waiting.one_time:
            return None
        self.take_over(waiting, waiting.hash)
        return name

    def first_login(self, username: str, one_time: str, password: str) -> str | None:
        """Replaces a one-time password. Returns what is wrong, or None when it is done."""
        name = self.normalize_username(username)
        waiting = self.accounts.find(name)
        if waiting is None or not waiting.one_time or not self._opens(waiting, one_time):
            return "That name and one-time password don't fit, or the password has been used or is too old."
        too_long = len(password.encode()) > LONGEST_PASSWORD
        if one_time == password or too_long or not self.is_password_strong(password):
            return (
                f"Choose a password of at least {self.minimum_password_length} signs that isn't a common one."
            )
        self.take_over(waiting, hashed(password))
        return None

    def take_over(self, account: Account, password: bytes) -> None:
        """The account becomes one of the hub's own, if nobody else took it meanwhile.

        ``password``: its bcrypt hash.
        """
        if self.accounts.remove(account.name):
            known = UserInfo.find(self.db, account.name)
            if known is None:
                known = UserInfo(username=account.name, password=password)
                self.db.add(known)
            known.password, known.is_authorized = password, True
            self.db.commit()

    def create_user(self, username: str, password: str, **kwargs: Any) -> Any:
        """Sign-up. A name that somebody waits for is taken: NativeAuthenticator would let whoever signs
        up as an instructor in at once."""
        name = self.normalize_username(username)
        if name in self.admin_users or self.accounts.find(name) is not None:
            return None
        if len(password.encode()) > LONGEST_PASSWORD:
            return None
        return super().create_user(username, password, **kwargs)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        # Of NativeAuthenticator's, the login page asks JupyterHub 6 for what it no longer has, and the
        # approval pages change things on a GET request.
        kept = ("/signup", "/change-password", "/change-password/([^/]+)")
        own = [(path, page) for path, page in super().get_handlers(app) if path in kept]
        return [*own, (r"/first-login", FirstLoginHandler), (r"/authorize", ApprovalHandler)]

    def _opens(self, account: Account, password: str) -> bool:
        """Whether the password is right; too many wrong ones block the name for a while."""
        if self.allowed_failed_logins and self.is_blocked(account.name):
            return False
        if account.opens_with(password, datetime.now(UTC)):
            self.successful_login(account.name)
            return True
        self.add_login_attempt(account.name)
        return False
