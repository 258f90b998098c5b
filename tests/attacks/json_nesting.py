# kind = "harm"
# goal = "the driver's stack"
# trick = "a notebook nested 400,000 levels deep"
# mark = 0
# refused = "nested too deeply"
# %% edit
def edit(notebook):
    return b"{\"nbformat\": 4, \"cells\": " + b"[" * 400_000 + b"]" * 400_000 + b"}"
