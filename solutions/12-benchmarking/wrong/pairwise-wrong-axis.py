# mistake = "the minimum over the rows of X instead of the rows of Y"
# changes = ["pairwise"]
# mark = 86

# %% solve="pairwise"
def pairwise(X, Y):
    xx, yy = np.sum(X * X, axis=1), np.sum(Y * Y, axis=1)
    return np.maximum(xx[:, None] + yy - 2 * X @ Y.T, 0)


def nearest(X, Y):
    return pairwise(X, Y).min(axis=0)
