"""Who may reach a user's server: its own user's browser, and whoever shows a token.

Contract: pure functions of a request's head; `relay` acts on the ruling. ``key`` is the server's own, known
to the hub and the keeper and never in a box. `pass_of` is for the hub's page that gives passes
(`hub.login.own`).

Theory of operation. All servers share the hub's web origin, and a student can put any web server into the
box. A page from there in an instructor's browser would act with the instructor's rights on the hub, the
course's pages and the instructor's server. So a box's answers reach the browser of the box's own user only:

- The hub gives the browser that is logged in as the server's user a pass: a cookie for this server's
  addresses that no script reads. It holds until a time and together with the cookie of the hub's session
  alone, so that logging out ends it and it is no good in another browser. A request that has either
  cookie twice has no pass: one of them was planted.
- A page that is opened without a pass is sent to the hub for one. From there it comes back by ``ARRIVAL``,
  which the box never sees, and which ends a loop where the browser kept no cookie.
- A program shows a token, which a page that a browser opens can't; the server checks it. No
  cookie goes along, and the answer could do nothing in a browser.
- The hub asks for ``<prefix>api`` to know that the server is up. The keeper answers that itself.
- A service worker is never handed out: it would stay in a browser for whoever logs in there next.

What remains: a browser that a student has prepared by hand. A page left open there is as good as a planted
cookie, and no header can prevent it.
"""

from __future__ import annotations

import hashlib
import hmac
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

COOKIE, SESSION = "mlsys-own", "jupyterhub-session-id"
ARRIVAL = "mlsys-own"  # the address below the server's where a browser comes back from the hub
DAYS = 14  # as long as the hub's own login
LONGEST_NEXT = 2000
PASS = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})")
SESSION_ID = re.compile(r"[A-Za-z0-9_-]{16,128}")
TARGET = re.compile(r"/[\x21-\x7e]*")
TOKEN = re.compile(r"(?:token|bearer) +\S+", re.IGNORECASE)

Headers: TypeAlias = list[tuple[bytes, bytes]]
SEALED: Headers = [
    (b"Content-Security-Policy", b"default-src 'none'; sandbox; frame-ancestors 'none'"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Cache-Control", b"no-store"),
]
SWITCHING: Headers = [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
# Of one connection, not of the request.
HOP = frozenset(b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade expect".split())
NOT_FROM_A_BOX = HOP | {b"service-worker-allowed"}


@dataclass(frozen=True)
class Gate:
    """``key``: hexadecimal. ``prefix``: the server's address, "/user/ada/". ``own``: the address of the
    hub's page that gives passes. ``user``: the server's user. ``version``: the hub's, which it asks for."""

    key: str
    prefix: str
    own: str
    user: str
    version: str = ""


@dataclass(frozen=True)
class Head:
    """A request as far as its body."""

    method: str
    target: str
    headers: Headers
    http: str = "1.1"

    def values(self, name: bytes) -> list[str]:
        return [value.decode("latin-1") for known, value in self.headers if known.lower() == name]

    def value(self, name: bytes) -> str:
        return next(iter(self.values(name)), "")

    @property
    def is_upgrade(self) -> bool:
        return bool(self.values(b"upgrade"))


@dataclass(frozen=True)
class Enter:
    """On to the box, with these headers. ``sealed``: the answer must be harmless in any browser."""

    headers: Headers
    sealed: bool


@dataclass(frozen=True)
class Answer:
    """The keeper's own answer."""

    status: int
    words: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Probe:
    """The hub wants to know whether the server is up."""


Ruling: TypeAlias = Enter | Answer | Probe


def server_key(secret: bytes, user: str) -> bytes:
    """The key of one user's server."""
    return hmac.digest(secret, b"server of " + user.encode(), hashlib.sha256)


def pass_of(key: bytes, session: str, until: float) -> str:
    """What the hub puts into the cookie."""
    return f"{int(until)}.{_mac(key, session, str(int(until)))}"


def is_pass(key: bytes, value: str, session: str, now: float) -> bool:
    found = PASS.fullmatch(value)
    if found is None or not SESSION_ID.fullmatch(session):
        return False
    return hmac.compare_digest(found[2], _mac(key, session, found[1])) and now < int(found[1])


def is_below(target: str, prefix: str) -> bool:
    """Whether a browser that is sent to this target stays below the prefix."""
    if not TARGET.fullmatch(target) or "\\" in target:
        return False
    path = unquote(urlsplit(target).path)
    return target.startswith(prefix) and f"{posixpath.normpath(path)}/".startswith(prefix)


def arrival(prefix: str, target: str) -> str:
    """Where the hub sends a browser that got a pass and wants ``target``."""
    return f"{prefix}{ARRIVAL}?{urlencode({'next': target})}"


def ruling(gate: Gate, head: Head, now: float) -> Ruling:
    wrong = _malformed(head)
    if wrong:
        return Answer(400, wrong)
    if head.values(b"service-worker"):
        return Answer(403, "No service worker is registered here.")
    owns = _owns(gate, head, now)
    path = head.target.partition("?")[0]
    if path == gate.prefix + ARRIVAL:
        return _arrived(gate, head) if owns else _no_cookie(gate)
    if owns:
        return Enter(_inward(head, _kept_cookies(gate, head)), sealed=False)
    if TOKEN.fullmatch(head.value(b"authorization")):
        return Enter(_inward(head, ""), sealed=True)
    if head.method == "GET" and head.target == f"{gate.prefix}api" and not head.is_upgrade:
        return Probe()
    if _is_navigation(head):
        return _redirect(f"{gate.own}?{urlencode({'next': _short(gate, head.target)})}")
    return Answer(403, f"This is the server of {gate.user}, for {gate.user}'s own browser. Reload the page.")


def outward(headers: Iterable[tuple[bytes, bytes]], *, sealed: bool) -> Headers:
    """The box's headers as the browser gets them."""
    kept = [(name, value) for name, value in headers if name.lower() not in NOT_FROM_A_BOX]
    return [*kept, *(SEALED if sealed else ())]


def _malformed(head: Head) -> str:
    """What makes a head one that two readers may read differently; "" for a sound one."""
    body = [value for name in (b"content-length", b"transfer-encoding") for value in head.values(name)]
    if head.method == "CONNECT" or not TARGET.fullmatch(head.target):
        return "An address here begins with '/'."
    if head.http not in ("1.0", "1.1"):
        return "HTTP/1.1 is spoken here."
    if len(body) > 1 or (head.http != "1.1" and head.values(b"transfer-encoding")):
        return "The length of this request is told twice."
    if len(head.values(b"host")) != 1 or len(head.values(b"authorization")) > 1:
        return "A request names its host and its token once."
    if head.is_upgrade and (head.value(b"upgrade").strip().lower() != "websocket" or body):
        return "A connection is upgraded to a WebSocket and to nothing else."
    return ""


def _owns(gate: Gate, head: Head, now: float) -> bool:
    cookies = _cookies(head)
    passes = [value for name, value in cookies if name == COOKIE]
    sessions = [value for name, value in cookies if name == SESSION]
    if len(passes) != 1 or len(sessions) != 1:
        return False
    return is_pass(bytes.fromhex(gate.key), passes[0], sessions[0], now)


def _cookies(head: Head) -> list[tuple[str, str]]:
    chunks = [chunk for value in head.values(b"cookie") for chunk in value.split(";")]
    pairs = [chunk.partition("=") for chunk in chunks]
    return [(name.strip(), value.strip()) for name, _, value in pairs if name.strip()]


def _kept_cookies(gate: Gate, head: Head) -> str:
    """Without the pass, and without cookies of the hub, of services and of other servers."""
    own = f"jupyterhub-user-{unquote(gate.prefix).rstrip('/').rpartition('/')[2]}"
    return "; ".join(
        f"{name}={value}"
        for name, value in _cookies(head)
        if name != COOKIE
        and (not name.startswith("jupyterhub-") or name in (SESSION, own) or name.startswith(f"{own}-"))
    )


def _inward(head: Head, cookies: str) -> Headers:
    """The request's headers as the box gets them."""
    kept = [(name, value) for name, value in head.headers if name.lower() not in HOP | {b"cookie"}]
    if head.values(b"transfer-encoding"):
        kept.append((b"Transfer-Encoding", b"chunked"))
    if cookies:
        kept.append((b"Cookie", cookies.encode("latin-1")))
    if head.is_upgrade:
        return [*kept, *SWITCHING]
    return [*kept, (b"Connection", b"close")]


def _is_navigation(head: Head) -> bool:
    """Whether a browser opens a page, as far as it says; over plain HTTP many don't."""
    mode = head.value(b"sec-fetch-mode") or "navigate"
    return head.method == "GET" and mode == "navigate" and not head.is_upgrade


def _arrived(gate: Gate, head: Head) -> Answer:
    wanted = parse_qs(urlsplit(head.target).query).get("next", [""])[0]
    return _redirect(wanted if is_below(wanted, gate.prefix) else gate.prefix)


def _no_cookie(gate: Gate) -> Answer:
    return Answer(
        403,
        f"The hub knows you as {gate.user}, but your browser did not keep the cookie that says so here, or"
        " keeps an old one. Allow cookies for this site; if that does not help, remove this site's cookies"
        " and log in again.",
    )


def _short(gate: Gate, target: str) -> str:
    return target if len(target) <= LONGEST_NEXT else gate.prefix


def _redirect(address: str) -> Answer:
    return Answer(302, headers=((b"Location", address.encode("latin-1")),))


def _mac(key: bytes, session: str, until: str) -> str:
    return hmac.new(key, f"{until}\0{session}".encode(), hashlib.sha256).hexdigest()
