"""An assignment's settings for judging, read from its source notebook's metadata."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from autograder.errors import AuthorError
from autograder.judge.plan import imported_packages
from autograder.sandbox import DEFAULT_LIMITS, Limits

KEYS = ("version", "assignment", "limits", "check_seconds", "opaque", "hide", "preload")
# What takes long to import, and can be forked once it is (no threads).
USUAL_PRELOADS = ("numpy", "torch")


@dataclass(frozen=True)
class Settings:
    """``check_seconds``: wall seconds of one check. ``opaque``: types whose objects stay in the box.
    ``hide``: packages that the student's box doesn't have. ``preload``: modules that it has loaded from the
    beginning; they are imported once for all submissions."""

    limits: Limits = DEFAULT_LIMITS
    check_seconds: float = 30.0
    opaque: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()

    @classmethod
    def of_source(cls, source: Any) -> Settings:
        """From a source notebook; the defaults for one without our metadata.

        Where nothing says what to preload, it's what the notebook imports of the usual.
        """
        own = source.metadata.get("mlsys")
        settings = cls() if own is None else cls.from_metadata(own)
        return settings if own is not None and "preload" in own else settings.with_usual_preloads(source)

    def with_usual_preloads(self, source: Any) -> Settings:
        cells = (cell.source for cell in source.cells if cell.cell_type == "code")
        imported = {name for text in cells for name in imported_packages(text)}
        usual = (name for name in USUAL_PRELOADS if name in imported and name not in self.hide)
        return replace(self, preload=tuple(usual))

    @classmethod
    def from_metadata(cls, own: Mapping[str, Any]) -> Settings:
        """Raises AuthorError for an unknown key, a missing limit or a limit that isn't positive."""
        where = f"metadata.mlsys of {own.get('assignment', 'the source notebook')}"
        require_known(own, KEYS, where)
        if own.get("version") != 1:
            raise AuthorError(f"{where}: version must be 1; build the assignment again with `mlsys build`")
        given = own.get("limits", {})
        names = tuple(each.name for each in fields(Limits))
        require_known(given, names, f"{where}.limits")
        missing = [name for name in names if name not in given]
        if missing:
            raise AuthorError(f"{where}.limits: missing {', '.join(missing)}")
        seconds = own.get("check_seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < 86400:
            raise AuthorError(f"{where}: check_seconds must be a positive number, not {seconds!r}")
        try:
            limits = Limits(**given)
        except ValueError as error:
            raise AuthorError(f"{where}: {error}") from error
        lists = (texts(own, key, where) for key in ("opaque", "hide", "preload"))
        return cls(limits, float(seconds), *lists)


def require_known(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise AuthorError(f"{where}: unknown key {key!r}{hint}")


def texts(own: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    given = own.get(key, [])
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise AuthorError(f"{where}: {key} must be a list of names")
    return tuple(given)
