"""The extra names that a check may use: value, award, keep, compare, rng; race is in racing.py."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.errors import AuthorError
from autograder.judge.link import Link
from autograder.judge.proxy import Proxy
from autograder.judge.records import RaceResult

COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


class Award(BaseException):
    """Ends a check with partial points. ``ours`` marks a message that the platform wrote."""

    def __init__(
        self, points: float, message: str, race: RaceResult | None = None, *, ours: bool = False
    ) -> None:
        super().__init__(message)
        self.points = points
        self.message = message
        self.race = race
        self.ours = ours


def award(points: float, message: str = "") -> None:
    """Ends the check with ``points`` of its maximum and a message for the student."""
    plain = type(points) in (int, float) or isinstance(points, np.integer | np.floating)
    if not plain or not math.isfinite(points) or points < 0:
        raise AuthorError(f"award({points!r}): points are a number from 0 to the check's maximum")
    raise Award(float(points), str(message))


def value(x: Any) -> Any:
    """``x`` if it is plain data all through; an object that stays in the box fails the check."""
    if isinstance(x, Proxy):
        x = Proxy.ask(x, "value", x)
        if isinstance(x, Proxy):
            Proxy.refuse(x, "the value")
    if isinstance(x, dict):
        parts = [*x.keys(), *x.values()]
    else:
        parts = list(x) if isinstance(x, list | tuple | set | frozenset) else []
    for part in parts:
        value(part)
    return x


def generator(seed: bytes, check: str) -> np.random.Generator:
    """The check's generator: the same for one grading, not to be guessed from another."""
    digest = hashlib.sha256(seed + b"\0" + check.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


class Helpers(dict[str, Any]):
    """The helpers of one check, by name. What comes as a maker is made when the check first names it."""

    def __init__(self, ready: Mapping[str, Any], **makers: Callable[[], Any]) -> None:
        super().__init__({**ready, **makers})
        self.makers = makers

    def __getitem__(self, name: str) -> Any:
        if name in self.makers:
            self[name] = self.makers.pop(name)()
        return super().__getitem__(name)


def linked_helpers(link: Link) -> dict[str, Any]:
    """The helpers that talk to one box."""

    def keep(f: Any) -> Callable[..., Any]:
        """``f``, whose results stay in the box as proxies, arrays and tensors too."""
        return lambda *args, **kwargs: link.request("call", f, args, tuple(kwargs.items()), True)

    def compare(a: Any, how: str, b: Any) -> bool:
        """The student's own comparison of two objects of theirs, as a plain bool."""
        if how not in COMPARISONS:
            raise AuthorError(f"compare(a, {how!r}, b): use one of {' '.join(COMPARISONS)}")
        if not (isinstance(a, Proxy) and isinstance(b, Proxy)):
            raise AuthorError("compare(a, how, b) is for two objects of the student's; compare data yourself")
        said = link.request("operator", COMPARISONS[how], a, b)
        if type(said) is not bool and not isinstance(said, np.bool_):
            raise link.refuse(f"{how} of the student's objects returned {type(said).__name__}, not a bool")
        return bool(said)

    return {"keep": keep, "compare": compare, "value": value, "award": award}
