# mistake = "leaves the negative squares that rounding makes"
# changes = ["pairwise"]
# mark = 86

# %% solve="pairwise"
def pairwise(X, Y):
    return (X * X).sum(axis=1)[:, None] + (Y * Y).sum(axis=1)[None, :] - 2 * X @ Y.T


def nearest(X, Y):
    return pairwise(X, Y).min(axis=1)
