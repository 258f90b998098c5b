"""Reads assignments written as Python scripts in jupytext's percent format, strictly.

    # %% [markdown]                  text
    # %%                             code that is given to the student
    # %% solve="relu"                the student's cell
    # %% check="relu" points=4       a check; ``speed=true`` marks a speed check

Contract: what a cell may be depends on the file's role (``Role``). A misspelt marker or
attribute, a doubled id, a cell that isn't Python and an nbgrader marker (the composer writes
those) are errors that name file and line. jupytext turns the text of a cell into its source,
so a file reads here as it does in JupyterLab.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path

import jupytext

from autograder.judge import parse
from course.markers import marker_in
from course.place import Place, nearest, read_text


class Kind(StrEnum):
    """What a cell is."""

    TEXT = "markdown"
    GIVEN = "given"
    SOLVE = "solve"
    CHECK = "check"


class Role(Enum):
    """What a file is for, and so which attributes each kind of cell may have there."""

    ASSIGNMENT = "an assignment"
    SOLUTION = "a solution"
    HIDDEN = "hidden checks"

    @property
    def attributes(self) -> dict[Kind, tuple[str, ...]]:
        """Allowed attributes by allowed kind of cell."""
        return {
            Role.ASSIGNMENT: {
                Kind.TEXT: (),
                Kind.GIVEN: (),
                Kind.SOLVE: ("solve",),
                Kind.CHECK: ("check", "points", "speed"),
            },
            Role.SOLUTION: {Kind.TEXT: (), Kind.SOLVE: ("solve",)},
            Role.HIDDEN: {Kind.TEXT: (), Kind.CHECK: ("check",)},
        }[self]


@dataclass(frozen=True)
class Cell:
    """A cell of a script. ``id`` is empty for text and given code."""

    kind: Kind
    source: str
    place: Place
    id: str = ""
    points: float = 0
    speed: bool = False


@dataclass(frozen=True)
class Script:
    """A percent script: the lines before its first cell, and its cells."""

    file: Path
    header: str
    cells: tuple[Cell, ...]

    def of(self, kind: Kind) -> dict[str, Cell]:
        """Its cells of a kind with ids, by id, in their order."""
        return {cell.id: cell for cell in self.cells if cell.kind is kind}


MARKER = re.compile(r"# %%(?: (.*))?")
ALMOST_MARKER = re.compile(r"\s*#+\s*%%|\s*#\s*%\s*\w+\s*=\s*[\"']|\s*#\s*(solve|check)\s*=\s*[\"']")
ATTRIBUTE = re.compile(r"(\w[\w-]*)=(\"[^\"]*\"|[^\s\"]+)(?:\s+|$)")
ID = re.compile(r"[a-z][a-z0-9-]{0,49}")
RESERVED = ("check-", "given-")
FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}


def read_script(file: Path, role: Role, ids: tuple[str, ...] | None = None) -> Script:
    """The script in ``file``. ``ids``, where given, are the ids that it may use as they are."""
    return parse_script(read_text(file), file, role, ids)


def parse_script(text: str, file: Path, role: Role, ids: tuple[str, ...] | None = None) -> Script:
    """The script that ``text`` is; ``file`` is only named in errors."""
    lines = text.split("\n")
    _refuse_markers(lines, file)
    starts = [number for number, line in enumerate(lines, 1) if _is_marker(line, Place(file, number))]
    if not starts:
        raise Place(file, 1).error("no cell here: a cell begins with a line '# %%'")
    ends = [*starts[1:], len(lines) + 1]
    cells = tuple(
        _cell(lines[start - 1], "\n".join(lines[start : end - 1]), Place(file, start), role, ids)
        for start, end in zip(starts, ends, strict=True)
    )
    _refuse_doubles(cells)
    header = "\n".join(lines[: starts[0] - 1])
    _refuse_code(header, file)
    return Script(file, header, cells)


def _refuse_markers(lines: list[str], file: Path) -> None:
    for number, line in enumerate(lines, 1):
        if marker := marker_in(line):
            raise Place(file, number).error(
                f"{line.strip()!r} is or resembles the nbgrader marker '### {marker}'; "
                "this format needs none: remove the line"
            )


def _is_marker(line: str, place: Place) -> bool:
    if MARKER.fullmatch(line.rstrip()):
        return True
    if ALMOST_MARKER.match(line):
        raise place.error(f"{line.strip()!r} isn't a cell marker; write it as '# %% …', with these spaces")
    return False


def _refuse_code(header: str, file: Path) -> None:
    for number, line in enumerate(header.split("\n"), 1):
        if line.strip() and not line.startswith("#"):
            raise Place(file, number).error("only comments may stand before the first '# %%'")


def _refuse_doubles(cells: tuple[Cell, ...]) -> None:
    seen: dict[tuple[Kind, str], Cell] = {}
    for cell in cells:
        first = seen.setdefault((cell.kind, cell.id), cell)
        if cell.id and first is not cell:
            raise cell.place.error(f'{cell.kind}="{cell.id}" stands in line {first.place.line} already')


def _cell(marker: str, body: str, place: Place, role: Role, ids: tuple[str, ...] | None) -> Cell:
    rest = (marker.rstrip()[4:]).strip()
    if rest.startswith("["):
        if rest != "[markdown]":
            raise place.error(f"unknown cell type {rest!r}; did you mean '[markdown]'?")
        return Cell(Kind.TEXT, _source("# %% [markdown]", body), place)
    attributes = dict(_attributes(rest, place, role))
    kind = next((kind for kind in (Kind.SOLVE, Kind.CHECK) if kind in attributes), Kind.GIVEN)
    _refuse_attributes(attributes, kind, place, role)
    _compile(body, place)
    source = _source("# %%", body)
    return Cell(kind, source, place, *_settings(attributes, kind, place, role, ids))


def _source(marker: str, body: str) -> str:
    notebook = jupytext.reads(f"{marker}\n{body}", fmt=dict(FORMAT))
    return str(notebook.cells[0].source).strip("\n")


def _attributes(rest: str, place: Place, role: Role) -> Iterator[tuple[str, str]]:
    known = {name for names in role.attributes.values() for name in names}
    seen: set[str] = set()
    while rest:
        found = ATTRIBUTE.match(rest)
        if not found:
            raise place.error(f'can\'t read {rest!r}; attributes are written as solve="relu" or points=4')
        name, value = found.groups()
        if name not in known:
            raise place.error(f"unknown attribute {name!r} in {role.value}; {nearest(name, known)}")
        if name in seen:
            raise place.error(f"{name!r} stands twice")
        seen.add(name)
        yield name, value
        rest = rest[found.end() :]


def _refuse_attributes(attributes: dict[str, str], kind: Kind, place: Place, role: Role) -> None:
    allowed = role.attributes.get(kind)
    if allowed is None:
        wanted = " and ".join(f"{each} cells" for each in role.attributes)
        raise place.error(f"a {kind} cell; only {wanted} belong in {role.value}")
    for name in attributes:
        if name not in allowed:
            raise place.error(f"{name!r} doesn't belong to a {kind} cell; {nearest(name, allowed)}")
    if kind is Kind.CHECK and "points" in allowed and "points" not in attributes:
        raise place.error(f"check={attributes['check']} needs points, as in points=4")


def _settings(
    attributes: dict[str, str], kind: Kind, place: Place, role: Role, ids: tuple[str, ...] | None
) -> tuple[str, float, bool]:
    name = _id(attributes[kind], place, ids) if kind in attributes else ""
    points = _points(attributes["points"], place) if "points" in attributes else 0
    speed = attributes.get("speed", "false")
    if speed not in ("true", "false"):
        raise place.error(f"speed must be true or false, not {speed}")
    return name, points, speed == "true"


def _id(value: str, place: Place, ids: tuple[str, ...] | None) -> str:
    name = value.strip('"')
    if not value.startswith('"'):
        raise place.error(f'write the id in double quotes: "{name}"')
    if ids is not None:
        if name not in ids:
            raise place.error(f"no question {name!r} in the assignment; {nearest(name, ids)}")
        return name
    if not ID.fullmatch(name):
        raise place.error(f"{name!r} isn't an id: up to 50 of a-z, 0-9 and '-', a letter first")
    if name.startswith(RESERVED):
        raise place.error(f"an id may not begin with {' or '.join(RESERVED)}: {name!r}")
    return name


def _points(value: str, place: Place) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", value) or float(value) <= 0:
        raise place.error(f"points must be a number above zero, not {value}")
    points = float(value)
    return int(points) if points.is_integer() else points


def _compile(body: str, place: Place) -> None:
    """Refuses what isn't Python, at its line; warnings too, for a student would see them."""
    try:
        tree = parse(body, strict=True)
    except (SyntaxError, ValueError) as e:
        line = place.line + (getattr(e, "lineno", 0) or 0)
        detail = getattr(e, "msg", str(e))
        raise Place(place.file, line).error(f"not Python: {detail}") from e
    if not tree.body:
        raise place.error("an empty cell; give it code or remove it")
