# kind = "harm"
# goal = "the file system"
# trick = "a file name of 250 characters"
# mark = 0
# refused = "is no file name here"
# %% edit
def edit(notebook):
    return {"x" * 243 + ".ipynb": b"{}"}
