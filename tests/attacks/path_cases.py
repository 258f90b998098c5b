# kind = "harm"
# goal = "the wrong file judged"
# trick = "names that differ in case, devices of other systems, and a copy: the one with the right name counts"
# mark = 7
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
# %% edit
import nbformat
def edit(notebook):
    data = nbformat.writes(notebook).encode()
    return {"Target.ipynb": b"{}", "TARGET.IPYNB": b"[]", "con.ipynb": b"{}", "target (1).ipynb": b"null", "target.ipynb": data}
