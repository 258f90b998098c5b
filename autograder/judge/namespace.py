"""Where a check's names come from.

Contract: a name is looked up in this order: what checks of this notebook bound themselves and the
notebook's imports (the judge's own modules); the names that the source notebook makes the
student's; the judge's helpers (``rng``, ``award``, ``value``…); Python's builtins; whatever else the
student's notebook defines. The order is fixed by the source notebook, so a student can't put an
object of theirs in the place of ``np`` or ``len``.

``del name`` of a student's name unbinds it in the box too, and giving a student's function
another one binds that there: tests of who calls whom rely on it. Data stays here, for a
variable of a check may hold an expected value.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import Any

from autograder.judge.link import Link
from autograder.judge.proxy import Proxy


class CheckNamespace(dict[str, Any]):
    """The globals of a notebook's checks. CPython asks ``__missing__`` of a dict subclass."""

    def __init__(
        self, student_names: Iterable[str], imports: Iterable[str], functions: Iterable[str] = ()
    ) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self.student_names = frozenset(student_names)
        self.functions = frozenset(functions)
        self.imports = tuple(imports)
        self.helpers: Mapping[str, Any] = {}
        self.link: Link | None = None
        self.found: dict[str, Any] = {}
        self._import()

    def _import(self) -> None:
        for statement in self.imports:
            try:
                exec(compile(statement, "<import>", "exec"), self)  # noqa: S102 -- the instructor's own line
            except Exception:  # noqa: S112 -- what the judge can't import stays the student's
                continue

    def attach(self, link: Link) -> None:
        """A new box: what checks kept of the old one is gone."""
        self.link = link
        self.start_check()
        for name in [name for name, held in self.items() if isinstance(held, Proxy)]:
            self.pop(name)

    def start_check(self) -> None:
        """Looks the student's functions up again: cells have run since."""
        self.found.clear()

    def hand_back(self, names: Iterable[str]) -> None:
        """A cell of the source binds these again, so they're the student's from here on."""
        for name in names:
            self.pop(name, None)

    def __missing__(self, name: str) -> Any:
        if name in self.found:
            return self.found[name]
        if name in self.student_names:
            held = self._ask(name, NameError(f"name {name!r} is not defined"))
            if name in self.functions:
                # A loop of a check needs no request a turn to find the function that it calls.
                self.found[name] = held
            return held
        if name in self.helpers:
            return self.helpers[name]
        if hasattr(builtins, name):
            raise KeyError(name)
        return self._ask(name, KeyError(name))

    def __setitem__(self, name: str, held: Any) -> None:
        super().__setitem__(name, held)
        self.found.pop(name, None)
        if self.link is not None and name in self.functions and callable(held):
            self.link.request("bind", name, held)

    def __delitem__(self, name: str) -> None:
        known = name in self
        self.pop(name, None)
        self.found.pop(name, None)
        if self.link is not None and name in self.student_names:
            self.link.request("unbind", name)
        elif not known:
            raise KeyError(name)

    def _ask(self, name: str, missing: Exception) -> Any:
        if self.link is None:
            raise missing
        try:
            return self.link.request("name", name)
        except NameError:
            raise missing from None
