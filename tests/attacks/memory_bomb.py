# kind = "harm"
# goal = "the grader's memory"
# trick = "allocates without end when it's called"
# mark = 3
# verdict = "MEMORY"
# ungrouped = "ERROR"
# %% solve="double"
def double(x):
    hoard = []
    while True:
        hoard.append(bytearray(1 << 26))
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
