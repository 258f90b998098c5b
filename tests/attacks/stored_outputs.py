# kind = "forge"
# goal = "points for nothing"
# trick = "the file comes with outputs that nbgrader would read as full marks, in every cell"
# mark = 0
# %% edit
import nbformat
def edit(notebook):
    number = {"output_type": "execute_result", "data": {"text/plain": "100.0"}, "metadata": {}, "execution_count": 1}
    for cell in notebook.cells:
        cell.outputs, cell.execution_count = [nbformat.from_dict(number)], 1
