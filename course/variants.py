"""Reads the submissions that staff wrote to prove an assignment: wrong/*.py and right/*.py.

A file holds only the cells that differ from the reference, after a header of TOML in comments:

    # mistake = "mul's gradient uses its own operand"        # way = "loops instead of axes"
    # changes = ["mul"]
    # mark = 72
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from course.assignment import Variant
from course.document import Table, parse_toml
from course.percent import Kind, Role, Script, read_script
from course.place import Place, nearest


def read_wrong(folder: Path, ids: tuple[str, ...], total: float) -> tuple[Variant, ...]:
    """The mistakes in ``folder``, by name; ``ids`` are the assignment's questions."""
    return tuple(_wrong(script, ids, total) for script in _scripts(folder, ids))


def read_right(folder: Path, ids: tuple[str, ...], total: float) -> tuple[Variant, ...]:
    """The other correct ways in ``folder``, by name; each must get ``total``."""
    return tuple(_right(script, total) for script in _scripts(folder, ids))


def _scripts(folder: Path, ids: tuple[str, ...]) -> Iterator[Script]:
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.name == "__pycache__":
            continue
        if file.suffix != ".py":
            raise Place(file).error("only .py files belong here; move it or rename it")
        yield read_script(file, Role.SOLUTION, ids)


def _wrong(script: Script, ids: tuple[str, ...], total: float) -> Variant:
    table = _header(script)
    table.only("mistake", "changes", "mark")
    changes = table.texts("changes", wanted="ids of questions")
    for index, name in enumerate(changes):
        if name not in ids:
            raise table.place("changes", index).error(f"no question {name!r}; {nearest(name, ids)}")
    if not changes:
        raise table.place("changes").error("a mistake changes at least one question; name it")
    mark = table.number("mark", zero=True, most=total)
    if mark >= total:
        raise table.place("mark").error(f"a mistake must cost points: mark is below {total:g}")
    return _variant(script, table.text("mistake"), changes, mark)


def _right(script: Script, total: float) -> Variant:
    table = _header(script)
    table.only("way")
    return _variant(script, table.text("way"), (), total)


def _variant(script: Script, note: str, changes: tuple[str, ...], mark: float) -> Variant:
    answers = {cell.id: cell.source for cell in script.cells if cell.kind is Kind.SOLVE}
    if not answers:
        raise Place(script.file).error('no changed cell: add a cell headed # %% solve="…"')
    return Variant(script.file.stem, script.file, note, answers, changes, mark)


def _header(script: Script) -> Table:
    lines = (line[1:] if line.startswith("#") else line for line in script.header.split("\n"))
    return parse_toml("\n".join(lines), script.file)
