# kind = "harm"
# goal = "the grader's memory and time"
# trick = "a number of a million digits"
# mark = 0
# refused = "is not valid JSON"
# %% edit
def edit(notebook):
    return b"{\"nbformat\": 4, \"cells\": [], \"nbformat_minor\": " + b"7" * 1_000_000 + b"}"
