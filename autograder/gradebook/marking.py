"""Writes a judgement into a notebook, as outputs that nbgrader reads as marks.

Contract: after ``with_outputs``, stock ``nbgrader.utils.determine_grade`` gives each test cell
exactly the points that its check earned: no output is full marks, an ``error`` none, a number as
``execute_result`` that many. The student's cells get the outputs that may be told, and nothing that a
check said but its safe message enters the notebook.
"""

from __future__ import annotations

import copy
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict

from autograder.errors import PlatformError
from autograder.judge import CellResult, CheckResult, NotebookResult, Verdict
from autograder.repair import Role, role_of

Output = dict[str, Any]

WORDS = {
    Verdict.OK: "Passed",
    Verdict.WRONG: "Not right yet",
    Verdict.ERROR: "Raised an error",
    Verdict.TIMEOUT: "Took too long",
    Verdict.MEMORY: "Needed too much memory",
    Verdict.CRASH: "Ended the Python process",
    Verdict.FAULT: "Not judged: our fault",
}

IN_PART = "Some of the points"


def words_for(check: CheckResult) -> str:
    """How a check went, in a few words."""
    return IN_PART if check.verdict is Verdict.WRONG and check.points > 0 else WORDS[check.verdict]


def with_outputs(notebook: NotebookNode, result: NotebookResult) -> NotebookNode:
    """A copy of the judged notebook with the outputs of ``result``.

    Raises PlatformError where a test cell has no result, or one that is a FAULT: neither may be
    taken for a mark.
    """
    marked = copy.deepcopy(notebook)
    checks = {check.check: check for check in result.checks}
    cells = {cell.index: cell for cell in result.cells}
    for index, cell in enumerate(marked.cells):
        if cell.cell_type != "code":
            continue
        if role_of(cell) is Role.CHECK:
            cell.outputs = [_node(each) for each in check_outputs(_result(cell, checks))]
        elif index in cells:
            cell.outputs = [_node(each) for each in cell_outputs(cells[index])]
    return marked


def check_outputs(check: CheckResult) -> list[Output]:
    """The outputs of a test cell that nbgrader turns into ``check.points``."""
    if not 0 <= check.points <= check.max_points:
        raise PlatformError(f"{check.check}: {check.points} of {check.max_points} points is no mark")
    if check.points == 0 and (check.max_points > 0 or check.verdict is not Verdict.OK):
        return [_error(check.verdict, check.message)]
    said = [_display(check.message)] if check.message else []
    return said if check.points == check.max_points else [_number(check.points), *said]


def cell_outputs(cell: CellResult) -> list[Output]:
    """A student's cell: what it printed, and how it ended if its last output doesn't say so."""
    outputs = [dict(output) for output in cell.outputs]
    told = any(output.get("output_type") == "error" for output in outputs)
    if cell.status is not Verdict.OK and not told:
        outputs.append(_error(cell.status, ""))
    return outputs


def _result(cell: NotebookNode, checks: dict[str, CheckResult]) -> CheckResult:
    name = cell.metadata.nbgrader.grade_id
    check = checks.get(name)
    if check is None or check.verdict is Verdict.FAULT:
        raise PlatformError(f"{name} was not judged; grade the submission again")
    return check


def _error(verdict: Verdict, message: str) -> Output:
    text = message or WORDS[verdict]
    shown = text if not message else f"{WORDS[verdict]}: {message}"
    return {"output_type": "error", "ename": verdict.value, "evalue": text, "traceback": [shown]}


def _display(message: str) -> Output:
    return {"output_type": "display_data", "data": {"text/plain": message}, "metadata": {}}


def _number(points: float) -> Output:
    data = {"text/plain": repr(float(points))}
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None}


def _node(output: Output) -> NotebookNode:
    made: NotebookNode = from_dict(output)
    return made
