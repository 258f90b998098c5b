# kind = "harm"
# goal = "a mark that no comparison holds against, and a number that no database takes"
# trick = "NaN and infinity in the file, as points and as a version; the answers are right"
# mark = 7
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
# %% edit
import json
def edit(notebook):
    for cell, points in zip(notebook.cells, [float("nan"), float("inf"), -float("inf"), 1e308] * 10):
        cell.metadata.setdefault("nbgrader", {})["points"] = points
    return json.dumps({**notebook, "nbformat_minor": float("nan")}).encode()
