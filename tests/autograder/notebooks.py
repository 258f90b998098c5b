"""Builds small source notebooks, and the copy of one that a student would submit."""

from __future__ import annotations

import copy
import json
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader.utils import compute_checksum

from autograder.repair import Role, released_text, role_of
from autograder.repair.rebuilding import node

STUB = 'def relu(x):\n    """max(x, 0)"""\n    raise NotImplementedError("relu")'
HIDDEN = "### BEGIN HIDDEN TESTS\nassert relu(-7) == 0, 'negative input'\n### END HIDDEN TESTS"


def code(text: str, **marks: Any) -> NotebookNode:
    """A code cell; ``marks`` become its nbgrader metadata."""
    return node(
        cell_type="code", source=text, metadata=metadata(**marks), outputs=[], execution_count=None, id="x"
    )


def text(source: str, **marks: Any) -> NotebookNode:
    """A markdown cell."""
    return node(cell_type="markdown", source=source, metadata=metadata(**marks), id="x")


def metadata(**marks: Any) -> NotebookNode:
    """nbgrader's metadata, schema 3, or none."""
    if not marks:
        return node()
    full = {"schema_version": 3, "grade": False, "solution": False, "locked": False, **marks}
    return node(nbgrader=node(**full))


def given(name: str, source: str) -> NotebookNode:
    """A locked cell."""
    return code(source, grade_id=name, locked=True)


def solve(name: str, stub: str, answer: str) -> NotebookNode:
    """A solution cell with its reference."""
    marked = f"{stub}\n### BEGIN SOLUTION\n{answer}\n### END SOLUTION"
    return code(marked, grade_id=name, solution=True)


def check(name: str, source: str, points: float) -> NotebookNode:
    """A test cell."""
    return code(source, grade_id=name, grade=True, locked=True, points=points)


def essay(name: str, source: str, points: float) -> NotebookNode:
    """A markdown answer that a person grades."""
    return text(source, grade_id=name, grade=True, solution=True, points=points)


def notebook(*cells: NotebookNode) -> NotebookNode:
    """A notebook of these cells, with ids of their own."""
    unique = [copy.deepcopy(cell) for cell in cells]
    for n, cell in enumerate(unique):
        cell.id = f"c{n}"
    spec = node(kernelspec=node(name="python3", display_name="Python 3", language="python"))
    return node(nbformat=4, nbformat_minor=5, metadata=spec, cells=unique)


def two_questions() -> NotebookNode:
    """Two questions that build on each other, and an essay: 4 + 2 + 6 + 3 points."""
    return notebook(
        text("# Layers\nRead this first."),
        given("given-1", "import math"),
        solve("relu", STUB, "def relu(x):\n    return max(x, 0)"),
        check("check-relu", f"assert relu(3) == 3\n{HIDDEN}", 4),
        check("check-relu-zero", "assert relu(0) == 0", 2),
        text("Now the second one."),
        given("given-2", "SCALE = 2"),
        solve(
            "layer",
            "def layer(x):\n    raise NotImplementedError",
            "def layer(x):\n    return SCALE * relu(x)",
        ),
        check("check-layer", "assert layer(2) == 4", 6),
        essay("why", "Because it is not linear.", 3),
    )


def released(source: NotebookNode) -> NotebookNode:
    """What a student receives: no hidden tests, no solutions."""
    nb = copy.deepcopy(source)
    for cell in nb.cells:
        cell.source = released_text(cell.source)
        if role_of(cell) is Role.ANSWER:
            stub = cell.source.split("### BEGIN SOLUTION")[0].rstrip("\n")
            cell.source = stub if cell.cell_type == "code" else "YOUR ANSWER HERE"
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.checksum = compute_checksum(cell)
    return nb


def submission(source: NotebookNode, **answers: str) -> NotebookNode:
    """The released notebook with these answers written in; a "-" in an id is "_" here."""
    nb = released(source)
    for cell in nb.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "").replace("-", "_")
        cell.source = answers.get(grade_id, cell.source)
    return nb


def right(source: NotebookNode) -> NotebookNode:
    """A correct submission of ``two_questions``."""
    return submission(
        source,
        relu="def relu(x):\n    return x if x > 0 else 0",
        layer="def layer(x):\n    return SCALE * relu(x)",
        why="Otherwise the layers collapse.",
    )


def cell_of(nb: NotebookNode, grade_id: str) -> NotebookNode:
    """The first cell with this id."""
    cells: list[NotebookNode] = nb.cells
    return next(cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def ids(nb: NotebookNode) -> list[str]:
    """The grade_ids of a notebook in order; cells without one are left out."""
    found = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells]
    return [grade_id for grade_id in found if grade_id]


def as_bytes(nb: NotebookNode) -> bytes:
    """A notebook file."""
    return json.dumps(nb).encode()
