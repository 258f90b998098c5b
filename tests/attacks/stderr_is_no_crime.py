# kind = "forge"
# goal = "none: an honest student who prints on stderr and lets a cell fail"
# trick = "none; stock nbgrader gives this one 0"
# mark = 7
# %%
import sys, warnings
warnings.warn("careful")
print("to stderr", file=sys.stderr)
1 / 0
# %% solve="double"
def double(x):
    print("working on it", file=sys.stderr)
    return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
