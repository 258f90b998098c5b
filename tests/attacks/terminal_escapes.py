# kind = "harm"
# goal = "the terminal or the spreadsheet of whoever reads what came out"
# trick = "escapes that clear the screen, set the title, type answers back and turn text around, in errors, displays, sources and messages"
# mark = 3
# leak = "\u001b"
# %%
from IPython.display import display
EVIL = "=1+1\x1b[2J\x1b]0;title\x07\x1b[6n\x1bP$qm\x1b\\\u202e\u2066\x9b31m\x00\x7f\b\b"
display({"text/plain": EVIL}, raw=True)
raise type("=cmd" + EVIL.replace("\0", ""), (ValueError,), {})(EVIL)
# %% solve="double"
EVIL = "=1+1\x1b[2J\x1b]0;title\x07\x1b[6n\x1bP$qm\x1b\\\u202e\u2066\x9b31m\x7f\b\b"
def double(x):
    raise type("=cmd" + EVIL, (ValueError,), {})(EVIL)
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
# %% edit
from nbformat.v4 import new_code_cell
def edit(notebook):
    notebook.cells += [new_code_cell("# \x1b[2J\x1b]0;title\x07 \u202e \x9b31m \x08")]
