# kind = "harm"
# goal = "the driver's time"
# trick = "texts on which a careless regular expression takes for ever: in sources, file names, outputs and errors"
# mark = 7
# %%
text = "\x1b[" + "0;" * 100_000
for repeated in ("\x1b", "\x1b[", "\x1b]", "\x1b[0", "\x1b]x\x07", "\x1bP\x1b", "\r", "\n", " ", "a" * 50 + "!"):
    print(repeated * 1000)
raise ValueError(text)
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
# %% edit
from nbformat.v4 import new_code_cell, new_markdown_cell
import nbformat
def edit(notebook):
    for text in ("def " + " " * 90_000, "async " * 20_000, "a" * 99_000 + ":" + " " * 900, "x" + " " * 99_000, "x:" * 50_000, "### BEGIN HIDDEN TESTS\n" * 4_000,
                 "\t \n" * 30_000, "#" + "BEGIN SOLUTION\n" * 5_000):
        notebook.cells += [new_markdown_cell(text), new_code_cell("'''" + text + "'''")]
    return {"target.ipynb": nbformat.writes(notebook).encode(), "target" + "-copy1_ -" * 9 + ".ipynb": b"{}", "t" + "-" * 90 + ".ipynb": b"{}"}
