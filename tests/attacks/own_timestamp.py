# kind = "forge"
# goal = "a submission from before the deadline, and a receipt for it"
# trick = "timestamp.txt, receipt.json, grades and a configuration among the files"
# mark = 4
# %% solve="double"
def double(x):
    return 2 * x
# %% edit
import nbformat
def edit(notebook):
    early = b"1999-01-01 00:00:00 UTC"
    extra = {"timestamp.txt": early, "receipt.json": b'{"points": 10}', "gradebook.db": early, "nbgrader_config.py": b"exit()"}
    return {"target.ipynb": nbformat.writes(notebook).encode(), **extra, "TIMESTAMP.TXT": early, "result.json": b"{}"}
