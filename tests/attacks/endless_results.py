# kind = "harm"
# goal = "the judge's memory and time, once a check works with what it got"
# trick = "a range of 67 million, a generator without end, a set of numbers with one hash, an integer of 50 kB, a list that grows"
# mark = 0
# %% solve="double"
import itertools
class Endless:
    def __len__(self): return (1 << 62) - 1
    def __getitem__(self, n): return n
    def __iter__(self): return itertools.count()
def double(x):
    return {1: 1 << 400_000, 3: {n * ((1 << 61) - 1) for n in range(2000)}, 21: itertools.count()}.get(x, Endless())
# %% solve="norm"
def norm(v):
    return range(1 << 26)
# %% solve="layer"
class Layer:
    calls = 0
    def __init__(self, weights): self.weights = weights
    def __call__(self, x): return iter(lambda: 0, 1)
