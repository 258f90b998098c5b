# mistake = "the minimum over the rows of X instead of the rows of Y"
# changes = ["pairwise"]
# mark = 86

# %% solve="pairwise"
def pairwise(X, Y):
    D = X @ Y.T
    D *= -2
    D += np.sum(X * X, axis=1)[:, None]
    D += np.sum(Y * Y, axis=1)
    return np.maximum(D, 0, out=D)


def nearest(X, Y):
    return pairwise(X, Y).min(axis=0)
