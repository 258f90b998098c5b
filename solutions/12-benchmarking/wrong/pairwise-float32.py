# mistake = "fast but wrong: computes in float32, so the race is not even run"
# changes = ["pairwise"]
# mark = 86

# %% solve="pairwise"
def pairwise(X, Y):
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    D = (X * X).sum(axis=1)[:, None] + (Y * Y).sum(axis=1)[None, :] - 2 * X @ Y.T
    return np.maximum(D, 0).astype(np.float64)


def nearest(X, Y):
    return pairwise(X, Y).min(axis=1)
