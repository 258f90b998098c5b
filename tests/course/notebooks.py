"""An nbgrader notebook as instructors have them, without our format."""

from __future__ import annotations

from course.notebook import code_cell, new_notebook, notebook_bytes, text_cell

SQUARES = '''\
def squares(n):
    """The squares of 1 to n."""
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError("n must be at least 1")
    return [i ** 2 for i in range(1, n + 1)]
    ### END SOLUTION'''
TESTS = """\
assert squares(1) == [1]
### BEGIN HIDDEN TESTS
assert squares(3) == [1, 4, 9]
### END HIDDEN TESTS"""


def marks(
    grade_id: str, *, grade: bool = False, solution: bool = False, points: float | None = None
) -> dict[str, object]:
    found: dict[str, object] = {
        "grade": grade,
        "grade_id": grade_id,
        "locked": False,
        "schema_version": 3,
        "solution": solution,
    }
    return {"nbgrader": found if points is None else {**found, "points": points}}


def instructors_notebook() -> bytes:
    cells = [
        text_cell("a", "# Squares"),
        code_cell("b", SQUARES, marks("squares", solution=True)),
        code_cell("c", "squares(10)", {}),
        code_cell("d", TESTS, marks("correct_squares", grade=True, points=1.5)),
        code_cell("e", "total = sum(squares(4))", marks("total", solution=True)),
        code_cell("f", "assert total == 30", marks("correct_total", grade=True, points=0.5)),
    ]
    return notebook_bytes(
        new_notebook(cells, {"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    )
