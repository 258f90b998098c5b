# kind = "harm"
# goal = "another student's submission"
# trick = "a file name that leads up the folders"
# mark = 0
# refused = "is no file name here"
# %% edit
def edit(notebook):
    return {"../../../submitted/other/target/target.ipynb": b"{}"}
