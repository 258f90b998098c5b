"""Templates to HTML: escaped by default, no script or style in the page, times with their zone.

Contract: what a template is given may hold anything a student wrote; it comes out as text. Scripts and
styles are files of ours, allowed by a nonce for each answer, so that no file of anybody else's on the
same host can be one (Content-Security-Policy).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.gradebook.charts import FOLDER as CHARTS
from autograder.gradebook.page import about, number
from autograder.gradebook.plain import plain

HERE = Path(__file__).parent
MINUTE, HOUR, DAY = 60, 3600, 86_400
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def render(template: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """The page's HTML and its Content-Security-Policy."""
    nonce = secrets.token_urlsafe(18)
    html = _environment().get_template(template).render({**values, "nonce": nonce})
    return html, policy(nonce)


def policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Name -> bytes and type of the files that pages load."""
    found = [*sorted((HERE / "static").iterdir()), CHARTS / "chart.css"]
    return {path.name: (path.read_bytes(), KINDS[path.suffix]) for path in found if path.suffix in KINDS}


@cache
def fingerprint(name: str) -> str:
    """Changes when a static file does, so that browsers may keep it for good."""
    return hashlib.sha256(static_files()[name][0]).hexdigest()[:12]


def moment(value: datetime | None, zone: ZoneInfo) -> Markup:
    """A time in the course's zone; the script shows the reader's own."""
    if value is None:
        return Markup("–")
    local = value.astimezone(zone)
    words = f"{local:%a} {local.day} {local:%b %Y, %H:%M} {local:%Z}"
    return Markup('<time datetime="{}">{}</time>').format(
        value.astimezone(UTC).isoformat(timespec="seconds"), words
    )


def distance(value: datetime, now: datetime) -> str:
    """in 3 days, 2 hours ago."""
    gap = (value - now).total_seconds()
    return f"in {span(gap)}" if gap >= 0 else f"{span(-gap)} ago"


def span(seconds: float | timedelta) -> str:
    """A length of time in its largest unit: 40 minutes, 3 days."""
    length = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if length >= unit:
            count = int(length // unit)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "less than a minute"


def size(count: float) -> str:
    """Bytes for people."""
    for unit, name in ((1 << 20, "MB"), (1 << 10, "kB")):
        if count >= unit:
            return f"{about(count / unit)} {name}"
    return f"{count:.0f} bytes"


def plural(count: int, one: str, many: str = "") -> str:
    """1 student, 2 students."""
    return f"{count} {one if count == 1 else many or one + 's'}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([HERE / "templates", CHARTS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number, about=about, span=span, size=size, plain=plain, plural=plural, percent=_percent
    )
    return environment


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"
