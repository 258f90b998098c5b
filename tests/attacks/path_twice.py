# kind = "harm"
# goal = "a file that hides another"
# trick = "one name in two forms of Unicode"
# mark = 0
# refused = "is there twice"
# %% edit
def edit(notebook):
    return {"caf\u00e9.ipynb": b"{}", "cafe\u0301.ipynb": b"{}"}
