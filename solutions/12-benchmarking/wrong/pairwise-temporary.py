# mistake = "right but slow: broadcasts into an array of shape (n, m, d)"
# changes = ["pairwise"]
# mark = 91

# %% solve="pairwise"
def pairwise(X, Y):
    return ((X[:, None, :] - Y[None, :, :]) ** 2).sum(axis=-1)


def nearest(X, Y):
    return pairwise(X, Y).min(axis=1)
