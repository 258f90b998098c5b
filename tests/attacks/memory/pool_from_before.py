# kind = "forge"
# goal = "room that the call does not add"
# trick = "a pool of arrays that is there before the first call"
# mark = 1
# ours_only = true
# %%
pool = [np.ones((500, 1000)) for _ in range(12)]
# %% solve="softmax"
def softmax(x):
    left = iter(pool)
    return ample(x, lambda shape: next(left) if shape == (500, 1000) else np.empty(shape), 12)
