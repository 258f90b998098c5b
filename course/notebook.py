"""The few operations on notebook files that this package needs, with types.

nbformat leaves its functions unannotated; they are called here and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import nbformat
from nbformat import NotebookNode, v4


def parse_notebook(text: str) -> NotebookNode:
    """A notebook of format 4; nbformat.ValidationError if the text isn't one.

    Cells that lack an id get one by their position: nbformat would give them random ones.
    """
    raw = json.loads(text)
    if raw["nbformat_minor"] >= 5:
        for index, cell in enumerate(raw["cells"]):
            cell.setdefault("id", f"cell-{index}")
    nbformat.validate(raw)
    notebook: NotebookNode = nbformat.reads(json.dumps(raw), as_version=4)
    return notebook


def notebook_bytes(notebook: NotebookNode) -> bytes:
    """The notebook as its file holds it, checked; the same notebook gives the same bytes."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook, version=nbformat.NO_CONVERT)
    return text.encode() + b"\n"


def new_notebook(cells: list[NotebookNode], metadata: Mapping[str, object]) -> NotebookNode:
    """A notebook of format 4.5."""
    notebook: NotebookNode = v4.new_notebook(cells=cells, metadata=dict(metadata))
    notebook.nbformat_minor = 5
    return notebook


def text_cell(name: str, source: str) -> NotebookNode:
    """A markdown cell with a fixed cell id."""
    cell: NotebookNode = v4.new_markdown_cell(source, id=name)
    return cell


def code_cell(name: str, source: str, metadata: Mapping[str, object]) -> NotebookNode:
    """A code cell with a fixed cell id."""
    cell: NotebookNode = v4.new_code_cell(source, id=name, metadata=dict(metadata))
    return cell


def grading(cell: NotebookNode) -> dict[str, object]:
    """nbgrader's metadata of a cell, empty for an ordinary one."""
    return dict(cell.metadata.get("nbgrader", {}))


def grade_id(cell: NotebookNode) -> str:
    """The cell's grade_id, empty for an ordinary cell."""
    return str(grading(cell).get("grade_id", ""))


def solve_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that students fill in, by grade_id."""
    return {grade_id(cell): cell for cell in notebook.cells if grading(cell).get("solution")}


def check_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells whose tests give points, by grade_id."""
    marked = ((cell, grading(cell)) for cell in notebook.cells)
    return {
        grade_id(cell): cell for cell, marks in marked if marks.get("grade") and not marks.get("solution")
    }
