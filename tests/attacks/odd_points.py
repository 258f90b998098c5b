# kind = "forge"
# goal = "points beyond all numbers"
# trick = "points that are no number, negative, infinite or a list, and ids that are none"
# mark = 4
# %% solve="double"
def double(x):
    return 2 * x
# %% edit
import json
def edit(notebook):
    odd = ["Infinity", -4, 1e308, [10], {"points": 10}, None, True]
    for cell, points in zip(notebook.cells[1:], odd):
        cell.metadata["nbgrader"]["points"] = points
    cell.metadata["nbgrader"]["grade_id"] = {"check-double": 10}
    return {"target.ipynb": json.dumps(notebook).encode()}
