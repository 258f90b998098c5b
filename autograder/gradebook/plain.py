"""Makes what came out of a box fit for a page: text without control characters, checked images.

Contract: pure. ``plain`` returns text that a browser shows as it stands (the template escapes it);
``png`` returns base64 that is a PNG, or None. Nothing else of an output is ever shown.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct

MAX_TEXT = 20_000
MAX_PNG = 2 << 20
MAX_PIXELS = 4_000
CUT = "\n… (cut here)"
TERMINAL = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    "|\x1b[\\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\\\)?"  # titles, links and other strings
    "|\x1b[ -/]*[0-~]?"
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
TURNS_TEXT_AROUND = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def plain(text: str, most: int = MAX_TEXT) -> str:
    """Text without terminal escapes, control characters and marks that turn its direction.

    Of a line that was printed over (a progress bar) the last state is kept.
    """
    cut = len(text) > most
    text = TERMINAL.sub("", text[:most]).replace("\r\n", "\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text = TURNS_TEXT_AROUND.sub("\ufffd", CONTROL.sub("", text))
    return text + CUT if cut else text


def png(data: str) -> str | None:
    """The base64 of a PNG of reasonable size, without line breaks; None for anything else."""
    compact = "".join(data.split())
    if len(compact) > MAX_PNG * 4 // 3:
        return None
    try:
        raw = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not raw.startswith(PNG_HEAD) or raw[12:16] != b"IHDR" or len(raw) < 24:
        return None
    width, height = struct.unpack(">II", raw[16:24])
    fits = 0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS
    return base64.b64encode(raw).decode() if fits else None
