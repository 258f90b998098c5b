"""The outside of a frame, for those who pass it on and for those who read it (see ``wire``).

Contract: two little-endian lengths, then a body of the first and a tail of the second. Longer ones are
refused.
"""

from __future__ import annotations

import struct

HEADER = struct.Struct("<II")
MAX_BODY = 24 << 20
MAX_TAIL = 256 << 20
