# kind = "harm"
# goal = "whoever parses a student's source"
# trick = "sources that exhaust a parser's stack, memory or time: brackets, operators, indents and f-strings without end"
# mark = 7
# stumbles = true
# %% solve="double"
def double(x): return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
# %% edit
from nbformat.v4 import new_code_cell
def edit(notebook):
    deep = ["(" * 5_000, "[" * 90 + "]" * 90, "not " * 5_000 + "1", "-" * 5_000 + "1", "+".join(["1"] * 2_000), "x" + ".y" * 2_000, "f(" * 1_000,
            "\n".join(" " * n + "if 1:" for n in range(101)), "f'{" * 5_000, "lambda: " * 2_000, "1 if 1 else " * 2_000, "\\\n" * 5_000,
            "'" + "a" * 100_000 + "'", "9" * 20_000, "%%timeit\n" * 5, "\x00", "# coding: utf-7\n+AAo-", "*" * 5_000, "x = " * 2_000 + "1"]
    notebook.cells += [new_code_cell(text) for text in deep]
