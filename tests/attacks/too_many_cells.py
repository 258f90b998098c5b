# kind = "harm"
# goal = "the grader's memory and time"
# trick = "5,001 cells"
# mark = 0
# refused = "5000 is the most"
# %% edit
from nbformat.v4 import new_code_cell
def edit(notebook):
    more = 5001 - len(notebook.cells)
    notebook.cells += [new_code_cell("1/0", id=f"more-{n}") for n in range(more)]  # of thousands drawn, two may be equal
