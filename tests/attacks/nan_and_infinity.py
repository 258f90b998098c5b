# kind = "forge"
# goal = "points for nothing"
# trick = "answers NaN and infinity, which some comparisons let through"
# mark = 0
# %% solve="double"
def double(x): return float("nan")
# %% solve="norm"
def norm(v): return float("inf")
