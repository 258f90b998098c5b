# kind = "forge"
# goal = "the answers of another cell"
# trick = "a new cell claims a test's id, a stranger's id and the given cell's; the test itself claims to be an answer"
# mark = 0
# %%
def double(x): return 2
# %% edit
import copy
def edit(notebook):
    by_id = {c.metadata["nbgrader"]["grade_id"]: c for c in notebook.cells if "nbgrader" in c.metadata}
    own = next(c for c in notebook.cells if "nbgrader" not in c.metadata)
    own.metadata["nbgrader"] = copy.deepcopy(by_id["check-double"].metadata["nbgrader"])
    by_id["check-double"].metadata["nbgrader"] = copy.deepcopy(by_id["double"].metadata["nbgrader"])
    by_id["double"].metadata["nbgrader"]["grade_id"] = "given-1"
    by_id["check-norm"].metadata["nbgrader"]["grade_id"] = "check-of-another-assignment"
