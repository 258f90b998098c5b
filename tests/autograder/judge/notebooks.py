"""Small nbgrader notebooks for the judge's tests."""

from __future__ import annotations

from typing import Any

from nbformat.v4 import new_code_cell, new_notebook

from autograder.judge import NotebookResult


def nbgrader(**fields: Any) -> dict[str, Any]:
    whole = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return {**whole, **fields}


def given(source: str, grade_id: str = "given-1") -> Any:
    return new_code_cell(source, metadata={"nbgrader": nbgrader(locked=True, grade_id=grade_id)})


def solve(question: str, source: str) -> Any:
    return new_code_cell(source, metadata={"nbgrader": nbgrader(solution=True, grade_id=question)})


def scratch(source: str) -> Any:
    return new_code_cell(source)


def check(
    name: str, visible: str, hidden: str = "", points: float = 1, question: str = "", speed: bool = False
) -> Any:
    source = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS" if hidden else visible
    own: dict[str, Any] = {"question": question} if question else {}
    if speed:
        own["speed"] = True
    grade = nbgrader(grade=True, locked=True, grade_id=f"check-{name}", points=points)
    return new_code_cell(source, metadata={"nbgrader": grade, "mlsys": own})


def notebook(*cells: Any) -> Any:
    made = new_notebook()
    made.cells.extend(cells)
    return made


def told(result: NotebookResult) -> list[Any]:
    """What a student is told, but for what it used."""
    checks = [(each.check, each.verdict, each.points, each.message) for each in result.checks]
    return [checks, [(cell.index, cell.status, cell.outputs) for cell in result.cells]]


def ignore(visible: NotebookResult) -> None:
    """Who wants to see what visible checks say before hidden ones are judged has the open pass first."""
