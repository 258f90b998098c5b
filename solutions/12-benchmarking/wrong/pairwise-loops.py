# mistake = "right but very slow: the two loops of the naive version"
# changes = ["pairwise"]
# mark = 91

# %% solve="pairwise"
def pairwise(X, Y):
    return pairwise_naive(X, Y)


def nearest(X, Y):
    return pairwise(X, Y).min(axis=1)
