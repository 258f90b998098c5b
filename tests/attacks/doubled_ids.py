# kind = "forge"
# goal = "a second cell in the place of the test"
# trick = "each test twice: the course's own, and one that passes under the same grade_id, before it and behind it"
# mark = 0
# %% edit
import copy
def edit(notebook):
    doubled = []
    for cell in notebook.cells:
        first, last = copy.deepcopy(cell), copy.deepcopy(cell)
        first.source = last.source = "4.0"
        first.id, last.id = f"first-{cell.id}", f"last-{cell.id}"
        graded = cell.metadata.get("nbgrader", {}).get("grade")
        doubled += [first, cell, last] if graded else [cell]
    notebook.cells = doubled
