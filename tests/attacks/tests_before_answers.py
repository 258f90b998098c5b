# kind = "forge"
# goal = "a test that runs before there is anything to test"
# trick = "the cells in reverse order, tests first"
# mark = 4
# %% solve="double"
def double(x):
    return 2 * x
# %% edit
def edit(notebook):
    notebook.cells.reverse()
