# kind = "forge"
# goal = "100 points for the answer's cell itself"
# trick = "answer cells that claim to be autograded tests, with a number as their result"
# mark = 0
# %% edit
def edit(notebook):
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.metadata["nbgrader"].update(grade=True, locked=True, points=100, cell_type="code")
            cell.source = "100.0"
