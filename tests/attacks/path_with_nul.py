# kind = "harm"
# goal = "a file that is named otherwise than it is checked"
# trick = "a NUL in a file name"
# mark = 0
# refused = "is no file name here"
# %% edit
def edit(notebook):
    return {"target.ipynb\0.py": b"{}"}
