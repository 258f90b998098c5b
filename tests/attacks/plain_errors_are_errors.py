# kind = "forge"
# goal = "none: everybody's bug"
# trick = "a recursion without an end and an allocation that is refused are errors like any other, not crashes"
# mark = 3
# verdict = "ERROR"
# %% solve="double"
def double(x):
    return double(x)
# %% solve="norm"
def norm(v):
    return np.zeros(1 << 60)
# %% solve="layer"
class Layer:
    def __init__(self, weights):
        self.weights, self.calls = weights, 0
    def __call__(self, x):
        if x.shape != self.weights.shape:
            raise ValueError("the shapes differ")
        self.calls += 1
        return self.weights * x
