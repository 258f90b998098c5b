# kind = "forge"
# goal = "points for a function that can't do floats"
# trick = "in abs(got - 1) < 1e-9 the subtraction is the student's, and its result is plain data: 0.0"
# mark = 0
# %% solve="double"
class Near:
    def __sub__(self, other):
        return 0.0
    __rsub__ = __sub__
def double(x):
    return x << 1 if isinstance(x, int) else Near()
