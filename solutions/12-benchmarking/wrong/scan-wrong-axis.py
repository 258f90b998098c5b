# mistake = "sums along the rows"
# changes = ["scan"]
# mark = 88

# %% solve="scan"
def scan(X):
    return np.cumsum(X, axis=1)
