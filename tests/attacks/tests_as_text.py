# kind = "forge"
# goal = "tests that don't run"
# trick = "test cells become markdown and raw cells, and one is hidden in an attachment"
# mark = 0
# %% edit
def edit(notebook):
    for number, cell in enumerate(notebook.cells):
        if cell.metadata.get("nbgrader", {}).get("grade"):
            text = cell.source
            for key in ("outputs", "execution_count"):
                cell.pop(key)
            cell.cell_type = "raw" if number % 4 else "markdown"
            cell.attachments = {"tests.py": {"text/plain": text}, "../x": {"image/png": "//"}}
