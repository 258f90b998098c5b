"""Text that a spreadsheet shows and never runs.

Contract: pure. For names, titles and feedback. Never for numbers, and never for ids: an id that is
changed is another person's.
"""

from __future__ import annotations

import re

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def inert(text: str) -> str:
    """The text; with an apostrophe before it where it would be a formula."""
    text = CONTROL.sub("", text)
    begins = text.lstrip()
    return f"'{text}" if begins.startswith(FORMULA) or text.startswith(("\t", "\r", "\n")) else text


def one_line(text: str) -> str:
    """The same on one line, without spaces around it."""
    return " ".join(inert(text.strip()).split())
