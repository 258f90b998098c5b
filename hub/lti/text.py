"""Text and JSON that a platform sends, taken apart strictly.

Contract: everything here comes from outside. What doesn't fit is an Unreadable (or None, where a missing
value is no harm), never a guess. Ids are compared as they come. ``shown`` makes such text fit for a
terminal or a log.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from autograder.errors import PlatformError

LONGEST = 2048
LONGEST_SHOWN = 120
UNKEPT = re.compile("[\0\ud800-\udfff]")

Json = Mapping[str, Any]


class Unreadable(PlatformError):
    """The platform's answer isn't what the specification says."""


def parse_json(data: bytes, what: str) -> Any:
    """The JSON of an answer; no NaN, no key twice."""
    try:
        return json.loads(data, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise Unreadable(f"{what}: the platform's answer is no JSON; ask its administrator") from None


def mapping(found: object, what: str) -> Json:
    if not isinstance(found, dict):
        raise Unreadable(f"{what}: the platform sent something else than an object; ask its administrator")
    return found


def sequence(found: object, what: str) -> list[Any]:
    if not isinstance(found, list):
        raise Unreadable(f"{what}: the platform sent something else than a list; ask its administrator")
    return found


def plain(found: object, longest: int = LONGEST) -> str:
    """Text without control signs, or ""."""
    is_plain = isinstance(found, str) and len(found) <= longest and found.isprintable()
    return str(found) if is_plain else ""


def opaque(found: object, what: str) -> str:
    """An id: text of whatever signs, compared as it is, that a database can keep. A whole number is taken
    as its digits: some platforms send those."""
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST or UNKEPT.search(found):
        raise Unreadable(f"{what}: the platform sent no usable id; ask its administrator")
    return found


def finite(found: object, what: str) -> float:
    """A number that is one."""
    try:
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        number = float(found) if is_number else math.nan  # type: ignore[arg-type]
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable(f"{what}: the platform sent {shown(found)} for a number; ask its administrator")
    return number


def shown(found: object) -> str:
    """Anything from outside in one short line, without control signs."""
    text = str(found)
    short = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in short)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
