# kind = "harm"
# goal = "the gradebook"
# trick = "a file name that is an absolute path"
# mark = 0
# refused = "is no file name here"
# %% edit
def edit(notebook):
    return {"/tmp/gradebook.db": b"{}", "target.ipynb": b"{}"}
