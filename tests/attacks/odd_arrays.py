# kind = "forge"
# goal = "points for nothing"
# trick = "a matrix, a record, an object array of yes-sayers, dates that are no dates: whatever numpy treats apart"
# mark = 0
# %%
class Yes:
    def __eq__(self, other): return True
    def __bool__(self): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
# %% solve="double"
odd = iter([2, np.array([Yes()]), np.array(Yes(), dtype=object), np.datetime64("NaT"), np.array("6")])
def double(x):
    return next(odd)
# %% solve="norm"
def norm(v):
    return 5.0 if v[0] == 3 else np.rec.fromarrays([[10.0]], names="x")
# %% solve="layer"
class Layer:
    calls = 0
    def __init__(self, weights): pass
    def __call__(self, x):
        self.calls = 2
        if len(x) == 4:
            raise ValueError
        return np.matrix(np.zeros((0, 3)))
