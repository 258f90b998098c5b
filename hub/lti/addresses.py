"""Addresses that a platform names: which of them may be asked, and how paths and pages hang on them.

Contract: only https (http on the loopback), only the hosts that were registered for the platform, no user
name inside. So neither a launch nor an answer can send the tool, and its token, to another host. Case and
query of an address are kept: they belong to ids. Errors don't repeat an address: a careless platform may
have put a token of ours into it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlencode, urlsplit

from autograder.errors import AuthorError, PlatformError
from hub.lti.text import LONGEST, Unreadable

UNSAFE = frozenset(' \\<>"^`{|}')
NO_ADDRESS = "no address; write it like https://lms.example.edu/path"
PORTS = {"https": 443, "http": 80}
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")
# One link of a Link header; quotes may be typographic, as those of Moodle's first page are.
LINK = re.compile(r"\s*<([^<>\s]+)>((?:\s*;[^,<>]*)*)\s*")
REL = re.compile(r"""rel\s*=\s*["'“”„]?\s*([A-Za-z][A-Za-z0-9 .-]*?)\s*["'“”„]?""")


class Elsewhere(PlatformError):
    """An address that the tool doesn't speak to."""


def host_of(url: str) -> str:
    """``host`` or ``host:port`` of an address that may be used at all. Raises Elsewhere."""
    parts = _parts(url)
    host, port = _host(parts), parts.port
    is_usual = port is None or port == PORTS[parts.scheme]
    return host if is_usual else f"{host}:{port}"


def require_host(url: str, hosts: Collection[str], what: str) -> str:
    """The address, if it is at one of these hosts. Raises Elsewhere."""
    try:
        found = host_of(url)
    except Elsewhere as error:
        raise Elsewhere(f"{what}: {error}") from None
    if found not in hosts:
        known = ", ".join(sorted(hosts)) or "none"
        raise Elsewhere(
            f"{what} is at {found}, which isn't registered for this platform ({known}); if it should be, "
            "add the host in lti.py or with `mlsys lti register --host`"
        )
    return url


def is_loopback(url: str) -> bool:
    return _is_loopback(urlsplit(url).hostname or "")


def require_url(url: str, what: str) -> str:
    """An address that a person wrote. Raises AuthorError."""
    try:
        host_of(url)
    except Elsewhere as error:
        raise AuthorError(f"{what}: {error}") from None
    return url


def below(url: str, name: str) -> str:
    """``name`` appended to the path, with the query kept: ``…/lineitem/scores?type_id=2``."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{name}", fragment="").geturl()


def asking(url: str, **query: str) -> str:
    """The address with something added to its query."""
    parts = urlsplit(url)
    more = urlencode(query)
    return parts._replace(query=f"{parts.query}&{more}" if parts.query else more).geturl()


def next_page(link: str) -> str:
    """The address of the next page in a Link header, "" where there is none.

    Raises Unreadable for a header that can't be understood: half a roster must not pass for a whole one.
    """
    text = _decoded(link)
    found, place = "", 0
    while place < len(text):
        match = LINK.match(text, place)
        if match is None or (match.end() < len(text) and text[match.end()] != ","):
            raise Unreadable("the platform's Link header can't be read; ask its administrator")
        rels = [REL.fullmatch(each.strip()) for each in match[2].split(";")]
        if any(rel is not None and "next" in rel[1].lower().split() for rel in rels):
            found = match[1].replace("&amp;", "&")
        place = match.end() + 1
    return found


def _decoded(link: str) -> str:
    """Headers reach us as Latin-1, whatever the platform wrote."""
    if len(link) > 4 * LONGEST:
        raise Unreadable("the platform's Link header is too long")
    try:
        return link.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        return link.strip()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Elsewhere(NO_ADDRESS) from None
    is_plain = len(url) <= LONGEST and url.isascii() and url.isprintable() and not set(url) & UNSAFE
    if not is_plain or not parts.hostname or parts.username is not None or parts.fragment or port == 0:
        raise Elsewhere(NO_ADDRESS)
    if parts.scheme not in PORTS or not HOST.fullmatch(_host(parts)):
        raise Elsewhere("an address must begin with https:// and a host's name")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise Elsewhere("an address must be https: a token is sent there")
    return parts


def _host(parts: SplitResult) -> str:
    name = (parts.hostname or "").lower()
    return f"[{name}]" if ":" in name else name


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
