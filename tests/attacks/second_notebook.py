# kind = "forge"
# goal = "the better of several files"
# trick = "the right answers in files that look like the notebook: another case, a copy, fullwidth and Cyrillic letters"
# mark = 0
# %% edit
import nbformat
from tests.autograder.target import REFERENCE, assignment
def edit(notebook):
    right = nbformat.writes(assignment(REFERENCE)).encode()
    names = ("Target.ipynb", "target.IPYNB", "target (1).ipynb", "target-Copy1.ipynb", "\uff54arget.ipynb", "t\u0430rget.ipynb")
    return {**dict.fromkeys(names, right), "target.ipynb": nbformat.writes(notebook).encode()}
