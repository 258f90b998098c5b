# kind = "forge"
# goal = "200 points for 4"
# trick = "points, locked, grade, solution, task, checksum and schema_version of every cell rewritten"
# mark = 4
# %% solve="double"
def double(x):
    return 2 * x
# %% edit
def edit(notebook):
    for cell in notebook.cells:
        claims = cell.metadata.get("nbgrader")
        if claims:
            claims.update(points=200, locked=False, grade=True, solution=True, task=True, checksum="0" * 32, schema_version=99)
            cell.metadata["deletable"] = cell.metadata["editable"] = True
