"""A strict view of a TOML file: every value is asked for by name and type.

Contract: a reader calls ``only`` on each table first, so that a misspelt key is reported with
the nearest right word, and then takes its values. Whatever is unknown, missing, of another
type or out of range is an AuthorError that names file and line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

from course.place import Place, nearest, read_text
from course.positions import KeyPath, key_lines

TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class Table:
    """A table of a TOML file. ``name`` is how messages call it."""

    file: Path
    path: KeyPath
    values: Mapping[str, object]
    lines: Mapping[KeyPath, int]
    name: str = ""

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def place(self, *keys: str | int) -> Place:
        """Where a key stands, or where the table does."""
        return Place(self.file, self.lines.get((*self.path, *keys), self.lines.get(self.path, 1)))

    def only(self, *keys: str) -> None:
        """Refuses every key but these."""
        for key in self.values:
            if key not in keys:
                raise self.place(key).error(f"unknown key {key!r}{self._where()}; {nearest(key, keys)}")

    def text(self, key: str) -> str:
        """A string that isn't blank."""
        value = self._get(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, "text in quotes")
        return value

    def matching(self, key: str, pattern: str, wanted: str) -> str:
        """A string that matches ``pattern`` as a whole."""
        value = self.text(key)
        if not re.fullmatch(pattern, value):
            raise self._wrong(key, wanted)
        return value

    def integer(self, key: str, *, least: int = 1) -> int:
        """A whole number, no smaller than ``least``."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self._wrong(key, f"a whole number of at least {least}")
        return value

    def number(self, key: str, *, zero: bool = False, most: float = 1e9) -> float:
        """A finite number above zero (or from zero on) and up to ``most``."""
        value = self._get(key)
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and (0 < value <= most or (zero and value == 0))
        ):
            return value
        raise self._wrong(key, f"a number {'from zero on' if zero else 'above zero'}, at most {most:g}")

    def texts(self, key: str, pattern: str = r".*\S.*", wanted: str = "text in quotes") -> tuple[str, ...]:
        """A list of strings, each of which matches ``pattern`` as a whole, none twice."""
        values = self._get(key)
        if not isinstance(values, list):
            raise self._wrong(key, f"a list of {wanted}")
        for index, value in enumerate(values):
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                raise self.place(key, index).error(f"{key!r} must list {wanted}, not {value!r}")
            if value in values[:index]:
                raise self.place(key, index).error(f"{value!r} stands twice in {key!r}; remove one")
        return tuple(values)

    def moment(self, key: str, zone: tzinfo) -> datetime:
        """A date with a time of day: with an offset, or local to the course's zone."""
        value = self._get(key)
        if not isinstance(value, datetime):
            kind = "a date without a time of day" if isinstance(value, date) else repr(value)
            raise self._wrong(key, "a time such as 2027-03-05T18:00:00, without quotes", kind)
        if value.tzinfo is not None:
            return value
        return self._localize(key, value, zone)

    def table(self, key: str) -> Table:
        """A table under this one."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, f"a table [{key}]")
        return Table(self.file, (*self.path, key), value, self.lines, f"[{key}]")

    def tables(self, key: str) -> tuple[Table, ...]:
        """The elements of an array of tables, at least one."""
        values = self._get(key)
        if not isinstance(values, list) or not values or not all(isinstance(each, dict) for each in values):
            raise self._wrong(key, f"tables headed [[{key}]]")
        return tuple(
            Table(self.file, (*self.path, key, index), value, self.lines, f"[[{key}]]")
            for index, value in enumerate(values)
        )

    def _localize(self, key: str, value: datetime, zone: tzinfo) -> datetime:
        early, late = value.replace(tzinfo=zone), value.replace(tzinfo=zone, fold=1)
        if early.utcoffset() != late.utcoffset():
            exists = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == value
            trouble = "comes twice" if exists else "doesn't exist"
            raise self.place(key).error(
                f"{key!r}: the local time {value.isoformat()} {trouble} in {zone} (clock change); "
                "write it with an offset, such as +01:00"
            )
        return early

    def _get(self, key: str) -> object:
        if key not in self.values:
            raise self.place().error(f"{key!r} is missing{self._where()}; add it")
        return self.values[key]

    def _wrong(self, key: str, wanted: str, given: str | None = None) -> Exception:
        shown = repr(self.values[key]) if given is None else given
        return self.place(key).error(f"{key!r} must be {wanted}, not {shown}")

    def _where(self) -> str:
        return f" in {self.name}" if self.name else ""


def parse_toml(text: str, file: Path) -> Table:
    """The top table of a TOML text that stands in ``file`` from its first line on."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        found = TOML_PLACE.search(str(e))
        line = int(found.group(1)) if found and found.group(1) else text.count("\n") + 1
        raise Place(file, line).error(f"not TOML: {TOML_PLACE.sub('', str(e))}") from e
    return Table(file, (), values, key_lines(text))


def read_toml(file: Path) -> Table:
    """The top table of a TOML file."""
    return parse_toml(read_text(file), file)
