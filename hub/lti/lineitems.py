"""Line items, the columns of the platform's gradebook (Assignment and Grade Services 2.0).

Contract: an assignment's column is the one that has its id as ``resourceId``; ids are compared as opaque
text. A column's maximum is never changed: a platform would rescale the grades in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.errors import AuthorError
from hub.lti.addresses import asking, require_host
from hub.lti.client import Client, require_success
from hub.lti.records import LineItem
from hub.lti.text import Unreadable, finite, mapping, opaque, parse_json, plain, sequence, shown
from hub.lti.wire import Again, Unreachable

KIND = "application/vnd.ims.lis.v2.lineitem+json"
CONTAINER = "application/vnd.ims.lis.v2.lineitemcontainer+json"
WHAT = "the columns of the gradebook there"
TAG = "mlsys"
MOST = 20_000
LONGEST_LABEL = 250


def read_line_items(client: Client, url: str, resource_id: str = "") -> tuple[LineItem, ...]:
    """The columns that the tool may see; with ``resource_id`` asks for those alone, which a platform
    may ignore."""
    found: dict[str, LineItem] = {}
    asked = asking(url, resource_id=resource_id) if resource_id else url
    for page in client.pages(asked, CONTAINER, WHAT):
        for each in sequence(page, WHAT):
            item = _line_item(mapping(each, WHAT))
            found[item.id] = item
        if len(found) > MOST:
            raise Unreadable(f"{WHAT}: more than {MOST}; is this one course?")
    return tuple(found.values())


def choose(items: tuple[LineItem, ...], assignment: str, wanted: str = "") -> LineItem | None:
    """The column of an assignment, or the one that is wanted; None where there is none yet.

    Raises AuthorError where several could be meant, or the wanted one isn't there.
    """
    if wanted:
        fits = [each for each in items if each.id == wanted]
        if not fits:
            known = ", ".join(f"{shown(each.label)}: {shown(each.id)}" for each in items[:20]) or "none"
            raise AuthorError(f"{shown(wanted)} is no column of the course there; it has {known}")
        return fits[0]
    fits = [each for each in items if each.resource_id == assignment]
    if len(fits) > 1:
        known = ", ".join(f"{shown(each.label)}: {shown(each.id)}" for each in fits)
        raise AuthorError(f"{assignment} has several columns there; choose with --line-item: {known}")
    return fits[0] if fits else None


def create(client: Client, url: str, assignment: str, title: str, maximum: float) -> LineItem:
    """Makes the column. When the connection breaks, looks whether it was made before another is.

    Raises PlatformError.
    """
    body = {
        "label": plain(title)[:LONGEST_LABEL] or assignment,
        "scoreMaximum": maximum,
        "resourceId": assignment,
        "tag": TAG,
    }
    for is_last in (False, True):
        try:
            answer = client.post(url, KIND, body, WHAT, accept=KIND, again=Again.NEVER)
        except Unreachable:
            if (made := choose(read_line_items(client, url, assignment), assignment)) is not None:
                return made
            if is_last:
                raise
            continue
        if answer.status < 500:
            require_success(answer, WHAT)
            return _line_item(mapping(parse_json(answer.body, WHAT), WHAT))
        if (made := choose(read_line_items(client, url, assignment), assignment)) is not None:
            return made
    require_success(answer, WHAT)
    raise AssertionError("unreachable")


def require_ours(item: LineItem, hosts: tuple[str, ...]) -> LineItem:
    """Raises Elsewhere for a column whose address is at another host than the platform's."""
    require_host(item.id, hosts, "the column's address")
    return item


def _line_item(found: Mapping[str, Any]) -> LineItem:
    maximum = finite(found.get("scoreMaximum"), WHAT)
    if maximum <= 0:
        raise Unreadable(f"{WHAT}: a maximum of {maximum}")
    return LineItem(
        id=opaque(found.get("id"), WHAT),
        label=plain(found.get("label")),
        maximum=maximum,
        resource_id=plain(found.get("resourceId")),
        resource_link=plain(found.get("resourceLinkId")),
        tag=plain(found.get("tag")),
    )
