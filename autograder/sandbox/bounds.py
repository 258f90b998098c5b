"""What plain data may cost whoever works with it after it was decoded.

Contract: pure. An attacker chooses values that are small on the wire and then make ordinary code run
for hours or read bits that no program makes: keys that all have one hash, lists that hold themselves,
booleans that are 2. ``wire`` measures with these functions and refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

BRANCHES = (list, tuple, dict, set, frozenset)
# Every spelling of a number's type that an encoder sends; any other text is never parsed.
NUMERIC_DTYPES: dict[str, np.dtype[Any]] = {
    swapped.str: np.dtype(swapped.str)
    for code in "?" + np.typecodes["AllInteger"] + np.typecodes["AllFloat"]
    for swapped in (np.dtype(code), np.dtype(code).newbyteorder())
}


def collisions(keys: Collection[Any]) -> int:
    """How many of the keys have the hash of another. A set of n of them takes n² steps to build.

    Raises TypeError for a key that has no hash.
    """
    return len(keys) - len(set(map(hash, keys)))


def canonical(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """``x`` itself, with only values that arithmetic can make: no boolean but 0 and 1, one kind of
    NaN in the 80-bit floats, some of whose bit patterns are no number at all."""
    if x.dtype.kind == "b":
        raw = x.view(np.uint8)
        raw[...] = raw != 0
    if x.dtype.kind in "fc" and x.dtype.itemsize > 8 * (1 + (x.dtype.kind == "c")):
        x[np.isnan(x)] = np.nan
    return x


def expanded(values: Iterable[object], most: int, deepest: int) -> int:
    """How many elements the largest of ``values`` has when everything in it is counted each time that
    it occurs; more than ``most`` for one that is deeper than ``deepest`` or that holds itself."""
    known: dict[int, tuple[int, int]] = {}

    def measure(x: object, depth: int) -> tuple[int, int]:
        """The elements and the height of ``x``."""
        if type(x) not in BRANCHES:
            return 1, 0
        found = known.get(id(x))
        if found is None:
            parts: Any = [*x.keys(), *x.values()] if isinstance(x, dict) else x
            measured = [measure(each, depth + 1) for each in parts] if depth <= deepest else [(most, deepest)]
            size, height = 1 + sum(m[0] for m in measured), 1 + max((m[1] for m in measured), default=0)
            found = known[id(x)] = (size if height <= deepest else most + 1), height
        return found

    return max((measure(each, 0)[0] for each in values), default=0)


def counted(most: int) -> Callable[[Any], Any]:
    """A hook for a parser: returns what it gets, and raises ValueError after ``most`` calls."""
    left = most

    def count(x: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(f"more than {most} containers")
        return x

    return count
