# mistake = "returns the distances instead of their squares"
# changes = ["pairwise"]
# mark = 86

# %% solve="pairwise"
def pairwise(X, Y):
    D = (X * X).sum(axis=1)[:, None] + (Y * Y).sum(axis=1)[None, :] - 2 * X @ Y.T
    return np.sqrt(np.maximum(D, 0))


def nearest(X, Y):
    return pairwise(X, Y).min(axis=1)
