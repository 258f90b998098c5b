# kind = "forge"
# goal = "a file in another student's folder"
# trick = "a file name with a path in it"
# mark = 0
# refused = "is no file name here"
# %% edit
import nbformat
def edit(notebook):
    return {"target.ipynb": nbformat.writes(notebook).encode(), "../../honest/target/target.ipynb": b"{}"}
