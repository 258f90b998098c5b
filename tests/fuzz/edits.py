"""The changes that mutants are made of, by level: cells, source text, JSON tree, JSON text, bytes.

Contract: an edit changes what it is given and may find nothing to change. A harmless edit never
costs a right answer its points, alone or with others; the rest may.
"""

from __future__ import annotations

import copy
import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Document = dict[str, Any]
Cell = dict[str, Any]
T = TypeVar("T")

LONE = "\ud800"
STRANGE_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 3.5, 10**400, -(10**400), 2**63, 1e308, float("inf"), "", "text", "\0", LONE,
    "\u202egnp.exe", "=1+1", "<script>alert(1)</script>", "../../etc/passwd", [], [[]], [None], ["a", 1], {},
    {"": {}}, {"grade_id": "double"}, [LONE], {LONE: LONE}, {"a": [{"b": LONE}]}, "9" * 5000, "é" * 300,
)  # fmt: skip
CELL_TYPES = ("code", "markdown", "raw", "heading", "html", "widget", "", None, 7, ["code"], "CODE")
SCRATCH = (
    "x = 1", "print('hello')", "%%time\ny = 2", "!echo hi", "%load_ext nothing", "?print", "raise ValueError('mine')",
    "print('\\ud800')", "print('x' * 10**6)", "for n in range(10**5): print(n)", "import sys; sys.exit(3)", "exit",
    "quit()", "input('name? ')", "await __import__('asyncio').sleep(0)", "%%bash\necho hi", "%%javascript\nalert(1)",
    "%%html\n<script>alert(1)</script>", "%matplotlib inline", "%pip list", "%cd /", "1/0", "'\\x1b[2J' * 9",
    "raise Exception('\\ud800')", "raise type('\\u200b', (Exception,), {})", "{1: [2, {3}]}", "lambda: 0", "b'\\0'",
    "from IPython.display import display, HTML\ndisplay(HTML('<b>'), metadata={'a': [1]})", "%%nothing\nx", "_ = Out",
    "import os; print(os.listdir('/'))", "import warnings; warnings.warn('careful')", "%reset -f in", "!!ls",
    "print('\\r' * 999, end='')", "class E(Exception):\n    def __str__(self): raise self\nraise E()",
)  # fmt: skip
BROKEN = (
    "def double(x:", "(" * 300, "return", "%", "!", "%%", "\tx = 1\n  y", "x = '", "\ufeff", "\0", "\x0c", LONE,
    "lambda" * 50, "x = " + "1+" * 5000 + "1", "[" * 5000, "#" * 100_000, "\uff44\uff4f\uff55\uff42\uff4c\uff45 = 1", "\u2028", "\x1a", "# -*- coding: latin-1 -*-",
    "# coding: nothing", "%%writefile /tmp/x\n", "%%capture out", "%%timeit -n1 -r1", "%%script false", "async def f(): yield",
    "match x:\n case _: pass", "del double", "del norm", "double = norm = None", "from __future__ import braces", "'''", "\\",
    "x" * 70_000 + " = 1", "if 1:\n" * 90 + "pass", "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS", "### BEGIN SOLUTION",
)  # fmt: skip


@dataclass(frozen=True)
class Edit(Generic[T]):
    """One way to change a submission, by its function's name."""

    change: Callable[[random.Random, T], T]
    harmless: bool = False

    @property
    def name(self) -> str:
        return self.change.__name__


def strange(rng: random.Random) -> Any:
    """One of them for a document to keep: later edits write into what is in it."""
    return copy.deepcopy(rng.choice(STRANGE_VALUES))


def cell_of(rng: random.Random, nb: Document) -> Cell:
    """Any cell; one that is in no notebook where there is none."""
    cells = (
        [cell for cell in nb["cells"] if isinstance(cell, dict)] if isinstance(nb.get("cells"), list) else []
    )
    return rng.choice(cells) if cells else {"metadata": {}, "source": ""}


def cells_of(nb: Document) -> list[Any]:
    found = nb.get("cells")
    return found if isinstance(found, list) else []


def marks_of(cell: Cell) -> dict[str, Any]:
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return marks if isinstance(marks, dict) else {}


def is_answer(cell: Any) -> bool:
    return isinstance(cell, dict) and bool(marks_of(cell).get("solution"))


def course_cells(nb: Document) -> list[Cell]:
    """The cells that students don't write in."""
    return [
        cell for cell in cells_of(nb) if isinstance(cell, dict) and marks_of(cell) and not is_answer(cell)
    ]


# -- cells --------------------------------------------------------------------------------------


def delete_course_cell(rng: random.Random, nb: Document) -> Document:
    found = course_cells(nb)
    if found:
        gone = rng.choice(found)
        nb["cells"] = [cell for cell in nb["cells"] if cell is not gone]
    return nb


def delete_cell(rng: random.Random, nb: Document) -> Document:
    if cells_of(nb):
        del nb["cells"][rng.randrange(len(nb["cells"]))]
    return nb


def delete_all(rng: random.Random, nb: Document) -> Document:
    nb["cells"] = []
    return nb


def duplicate_course_cell(rng: random.Random, nb: Document) -> Document:
    found = course_cells(nb)
    if found:
        nb["cells"].insert(rng.randrange(len(nb["cells"]) + 1), copy.deepcopy(rng.choice(found)))
    return nb


def duplicate_cell(rng: random.Random, nb: Document) -> Document:
    if cells_of(nb):
        nb["cells"].insert(rng.randrange(len(nb["cells"]) + 1), copy.deepcopy(rng.choice(nb["cells"])))
    return nb


def duplicate_all(rng: random.Random, nb: Document) -> Document:
    if len(cells_of(nb)) < 50:
        nb["cells"] = copy.deepcopy(cells_of(nb)) * rng.randint(2, 4)
    return nb


def reorder(rng: random.Random, nb: Document) -> Document:
    rng.shuffle(cells_of(nb))
    return nb


def reverse(rng: random.Random, nb: Document) -> Document:
    cells_of(nb).reverse()
    return nb


def retype(rng: random.Random, nb: Document) -> Document:
    cell_of(rng, nb)["cell_type"] = rng.choice(CELL_TYPES)
    return nb


def retype_course_cell(rng: random.Random, nb: Document) -> Document:
    for cell in course_cells(nb)[-2:]:
        cell["cell_type"] = rng.choice(("markdown", "raw"))
    return nb


def edit_course_cell(rng: random.Random, nb: Document) -> Document:
    for cell in course_cells(nb)[-2:]:
        cell["source"] = rng.choice(
            ("assert True", "", "### BEGIN HIDDEN TESTS", ["a", "b"], "raise SystemExit")
        )
    return nb


def unmark(rng: random.Random, nb: Document) -> Document:
    cell_of(rng, nb)["metadata"] = {}
    return nb


def unmark_all(rng: random.Random, nb: Document) -> Document:
    for cell in cells_of(nb):
        if isinstance(cell, dict):
            cell["metadata"] = rng.choice(({}, {"tags": ["x"]}))
    return nb


def rename(rng: random.Random, nb: Document) -> Document:
    names = (
        "double",
        "norm",
        "check-double",
        "check-norm",
        "given-1",
        "bonus",
        "",
        "\0",
        LONE,
        "x" * 500,
        7,
        None,
    )
    marks_of(cell_of(rng, nb)).update(grade_id=rng.choice(names))
    return nb


def mark_scratch(rng: random.Random, nb: Document) -> Document:
    """A cell of one's own that claims to be graded."""
    marks = {"grade": True, "solution": False, "locked": True, "grade_id": "bonus", "points": 1000}
    nb.setdefault("cells", [])
    if cells_of(nb) or nb["cells"] == []:
        nb["cells"].append(
            {"cell_type": "code", "metadata": {"nbgrader": marks}, "source": "1000", "outputs": []}
        )
    return nb


def edit_points(rng: random.Random, nb: Document) -> Document:
    for cell in course_cells(nb):
        marks_of(cell)["points"] = rng.choice(
            (1000, -1, 0, 1e308, 10**400, "100", None, True, float("inf"), [5])
        )
    return nb


def edit_settings(rng: random.Random, nb: Document) -> Document:
    for cell in course_cells(nb):
        key = rng.choice(("grade", "locked", "task", "schema_version", "checksum", "cell_type", "strange"))
        marks_of(cell)[key] = strange(rng)
    return nb


def edit_metadata(rng: random.Random, nb: Document) -> Document:
    nb["metadata"] = strange(rng)
    return nb


def change_language(rng: random.Random, nb: Document) -> Document:
    nb["metadata"] = {
        "kernelspec": {"name": "julia-1.9", "language": "julia"},
        "language_info": {"name": "R"},
    }
    return nb


def edit_ids(rng: random.Random, nb: Document) -> Document:
    """Cell ids missing, all the same, or no ids at all."""
    for cell in cells_of(nb):
        if isinstance(cell, dict):
            cell.pop("id", None)
            if rng.random() < 0.5:
                cell["id"] = rng.choice(("same", "", "a b", "x" * 200, 5, None, LONE))
    return nb


def minor_version(rng: random.Random, nb: Document) -> Document:
    nb["nbformat_minor"] = rng.choice((0, 1, 2, 3, 4, 5, 99, -1, "5", None))
    return nb


def major_version(rng: random.Random, nb: Document) -> Document:
    nb["nbformat"] = rng.choice((1, 2, 3, 4.0, 4.5, 5, "4", None, True, [4], 10**400, -4))
    return nb


def as_format_3(rng: random.Random, nb: Document) -> Document:
    """As the notebooks of 2013: worksheets, and ``input`` for ``source``."""
    sheet = [
        {**{k: v for k, v in cell.items() if k != "source"}, "input": cell.get("source", "")}
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
        else cell
        for cell in cells_of(nb)
    ]
    nb.pop("cells", None)
    nb.update(nbformat=3, nbformat_minor=0, worksheets=[{"cells": sheet, "metadata": {}}])
    return nb


def fat_outputs(rng: random.Random, nb: Document) -> Document:
    text = "x" * rng.choice((10, 100_000, 1_000_000))
    cell_of(rng, nb)["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}] * rng.randint(
        1, 20
    )
    return nb


def strange_outputs(rng: random.Random, nb: Document) -> Document:
    for cell in cells_of(nb):
        if isinstance(cell, dict):
            cell["outputs"] = strange(rng)
            cell["execution_count"] = strange(rng)
    return nb


def attachments(rng: random.Random, nb: Document) -> Document:
    cell: Cell = {"cell_type": "markdown", "metadata": {}, "source": "![x](attachment:x)"}
    names, data = (
        ("x", "../x", LONE, "\0", "", "x" * 5000, "'><b>"),
        ("aGk=", LONE, "\0", "x" * 100_000, 5, None),
    )
    cell["attachments"] = {rng.choice(names): {rng.choice(("image/png", LONE, "a" * 99)): rng.choice(data)}}
    if cells_of(nb) or nb.get("cells") == []:
        nb["cells"].insert(rng.randrange(len(nb["cells"]) + 1), cell)
    return nb


def many_cells(rng: random.Random, nb: Document) -> Document:
    more = [
        {"cell_type": "markdown", "metadata": {}, "source": f"note {n}"}
        for n in range(rng.choice((50, 1500)))
    ]
    nb["cells"] = [*cells_of(nb), *more]
    return nb


def too_many_cells(rng: random.Random, nb: Document) -> Document:
    nb["cells"] = [*cells_of(nb), *({"cell_type": "code", "metadata": {}, "source": ""} for _ in range(5000))]
    return nb


def damaged_cells(rng: random.Random, nb: Document) -> Document:
    """Entries that are no cells."""
    for _ in range(rng.randint(1, 5)):
        if cells_of(nb):
            nb["cells"].insert(
                rng.randrange(len(nb["cells"]) + 1), rng.choice((None, 3, "x", [], {}, {"source": 1}))
            )
    return nb


def further_key(rng: random.Random, nb: Document) -> Document:
    nb[rng.choice(("worksheets", "x", "", "cell"))] = strange(rng)
    return nb


def split_lines(rng: random.Random, nb: Document) -> Document:
    """Sources as lists of lines, as Jupyter saves them."""
    for cell in cells_of(nb):
        if isinstance(cell, dict) and isinstance(cell.get("source"), str):
            cell["source"] = cell["source"].splitlines(keepends=True)
    return nb


# -- source text --------------------------------------------------------------------------------


def add_scratch(rng: random.Random, nb: Document) -> Document:
    cell: Cell = {
        "cell_type": "code",
        "metadata": {},
        "source": rng.choice(SCRATCH),
        "outputs": [],
        "execution_count": None,
    }
    if cells_of(nb) or nb.get("cells") == []:
        nb["cells"].insert(rng.randrange(len(nb["cells"]) + 1), cell)
    return nb


def text_of(cell: Cell) -> str:
    text = cell.get("source")
    return text if isinstance(text, str) else ""


def break_source(rng: random.Random, nb: Document) -> Document:
    cell, broken = cell_of(rng, nb), rng.choice(BROKEN)
    lines = text_of(cell).split("\n")
    lines.insert(rng.randrange(len(lines) + 1), broken)
    cell["source"] = "\n".join(lines)
    return nb


def cut_source(rng: random.Random, nb: Document) -> Document:
    cell = cell_of(rng, nb)
    cell["source"] = text_of(cell)[: rng.randrange(len(text_of(cell)) + 1)]
    return nb


def scramble_source(rng: random.Random, nb: Document) -> Document:
    cell = cell_of(rng, nb)
    text = list(text_of(cell))
    for _ in range(rng.randint(1, 6)):
        text.insert(
            rng.randrange(len(text) + 1),
            chr(rng.choice((9, 12, 13, 0, 160, 8232, 65279, 0xD800, 0x1F600, 34))),
        )
    cell["source"] = "".join(text)
    return nb


def indent_with_tabs(rng: random.Random, nb: Document) -> Document:
    for cell in cells_of(nb):
        if isinstance(cell, dict) and text_of(cell):
            cell["source"] = text_of(cell).replace("    ", "\t")
    return nb


def windows_lines(rng: random.Random, nb: Document) -> Document:
    for cell in cells_of(nb):
        if isinstance(cell, dict) and text_of(cell):
            cell["source"] = text_of(cell).replace("\n", "\r\n")
    return nb


def comment_answers(rng: random.Random, nb: Document) -> Document:
    """What a student adds below a right answer."""
    lines = (
        "# done",
        "",
        "\n\n",
        "x = 5",
        "print('\\ud800')",
        "print('ok')",
        "# é 漢字 \U0001f600",
        "#" * 100_000,
        "\x0c",
    )
    for cell in cells_of(nb):
        if is_answer(cell) and text_of(cell):
            cell["source"] += "\n" + rng.choice(lines)
    return nb


def empty_source(rng: random.Random, nb: Document) -> Document:
    cell_of(rng, nb)["source"] = rng.choice(("", " ", "\n", [], [""], "pass"))
    return nb


# -- the JSON tree ------------------------------------------------------------------------------


def places(node: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """(container, key) for every value below ``node``."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key
        if depth < 8:
            yield from places(value, depth + 1)


def wrong_type(rng: random.Random, nb: Document) -> Document:
    container, key = rng.choice(list(places(nb)) or [({}, "")])
    container[key] = strange(rng)
    return nb


def lost_value(rng: random.Random, nb: Document) -> Document:
    container, key = rng.choice(list(places(nb)) or [({"": 0}, "")])
    del container[key]
    return nb


def swapped_values(rng: random.Random, nb: Document) -> Document:
    found = list(places(nb)) or [({"": 0}, "")]
    (a, i), (b, j) = rng.choice(found), rng.choice(found)
    a[i], b[j] = copy.deepcopy(b[j]), copy.deepcopy(a[i])
    return nb


def wrapped_value(rng: random.Random, nb: Document) -> Document:
    container, key = rng.choice(list(places(nb)) or [({"": 0}, "")])
    value = copy.deepcopy(container[key])
    for _ in range(rng.choice((1, 2, 100, 300))):
        value = [value] if rng.random() < 0.5 else {"cells": value}
    container[key] = value
    return nb


# -- JSON text ----------------------------------------------------------------------------------


def as_it_is(rng: random.Random, text: str) -> str:
    return text


def truncated(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text))]


def doubled_keys(rng: random.Random, text: str) -> str:
    """Every key twice, the other first."""
    key = rng.choice(
        ("source", "cells", "metadata", "nbgrader", "grade_id", "points", "cell_type", "nbformat")
    )
    return text.replace(f'"{key}":', f'"{key}": {rng.choice(("null", "[]", "{}", "1"))}, "{key}":')


def doubled_keys_last(rng: random.Random, text: str) -> str:
    key = rng.choice(("grade_id", "points", "cell_type", "nbformat"))
    return text.replace(f'"{key}":', f'"{key}": 4, "{key}":')


def no_json_numbers(rng: random.Random, text: str) -> str:
    word = rng.choice(
        ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "1" * 4000, "0x10", "1_000", "-0", "1e400000")
    )
    return text.replace("null", word).replace('"nbformat_minor": 5', f'"nbformat_minor": {word}')


def nested(rng: random.Random, text: str) -> str:
    depth = rng.choice((10, 500, 900, 980, 990, 1000, 100_000))
    deep = rng.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))
    return text.replace("null", deep, 1).replace('"nbformat":', f'"deep": {deep}, "nbformat":', 1)


def nested_version(rng: random.Random, text: str) -> str:
    depth = rng.randint(900, 1000)
    return '{"nbformat": ' + "[" * depth + "]" * depth + ', "cells": []}'


def trailing(rng: random.Random, text: str) -> str:
    return text + rng.choice((",", "}", "\n\n", "\0", text[:9000], "<<<<<<< HEAD"))


def merge_conflict(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), "<<<<<<< HEAD\n=======\n>>>>>>> main")
    return "\n".join(lines)


def other_text(rng: random.Random, text: str) -> str:
    return rng.choice(
        ("", " ", "null", "[]", "{}", "0", '""', "def double(x): return 2 * x", "<html></html>", '{"cells": {}}',
         '{"cells": [], "nbformat": 4}', '{"worksheets": [{"cells": 3}, 5], "nbformat": 3}', '{"cells": null, "nbformat": 4}')
    )  # fmt: skip


def changed_characters(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice('"{}[],:0 \\\0a') + text[at + 1 :]
    return text


# -- bytes --------------------------------------------------------------------------------------


def byte_order_mark(rng: random.Random, data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


def other_encoding(rng: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-7")))


def latin_1(rng: random.Random, data: bytes) -> bytes:
    return data.replace(b"first", b"f\xefrst").replace(b"double", b"d\xfcble")


def flipped_bits(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data or b" ")
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_bytes(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def packed(rng: random.Random, data: bytes) -> bytes:
    return rng.choice(
        (gzip.compress(data[:10_000], mtime=0), b"PK\x03\x04" + data, b"%PDF-1.7\n" + data, b"\0" * 4096)
    )


def windows_bytes(rng: random.Random, data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


HARMLESS_TO_CELLS: tuple[Callable[[random.Random, Document], Document], ...] = (
    delete_course_cell, duplicate_course_cell, retype_course_cell, edit_course_cell, mark_scratch, edit_points,
    change_language, edit_ids, minor_version, fat_outputs, attachments, many_cells, split_lines,
)  # fmt: skip
HARMFUL_TO_CELLS: tuple[Callable[[random.Random, Document], Document], ...] = (
    delete_cell, delete_all, duplicate_cell, duplicate_all, reorder, reverse, retype, unmark, unmark_all, rename,
    edit_settings, edit_metadata, major_version, as_format_3, strange_outputs, damaged_cells, further_key, too_many_cells,
)  # fmt: skip
NOTEBOOK_EDITS = [
    *(Edit(change, harmless=True) for change in HARMLESS_TO_CELLS),
    *(Edit(change) for change in HARMFUL_TO_CELLS),
]
SOURCE_EDITS: list[Edit[Document]] = [
    Edit(add_scratch, harmless=True), Edit(windows_lines, harmless=True), Edit(comment_answers, harmless=True),
    Edit(break_source), Edit(break_source), Edit(cut_source), Edit(scramble_source), Edit(indent_with_tabs), Edit(empty_source),
]  # fmt: skip
TREE_EDITS: list[Edit[Document]] = [
    Edit(wrong_type),
    Edit(wrong_type),
    Edit(lost_value),
    Edit(swapped_values),
    Edit(wrapped_value),
]
TEXT_EDITS: list[Edit[str]] = [
    Edit(as_it_is, harmless=True), Edit(truncated), Edit(doubled_keys, harmless=True), Edit(doubled_keys_last), Edit(no_json_numbers),
    Edit(nested), Edit(nested_version), Edit(trailing), Edit(merge_conflict), Edit(other_text), Edit(changed_characters),
]  # fmt: skip
BYTE_EDITS: list[Edit[bytes]] = [
    Edit(byte_order_mark, harmless=True), Edit(windows_bytes, harmless=True), Edit(other_encoding), Edit(latin_1),
    Edit(flipped_bits), Edit(cut_bytes), Edit(packed),
]  # fmt: skip
