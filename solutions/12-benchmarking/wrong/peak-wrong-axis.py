# mistake = "sums along the rows"
# changes = ["peak"]
# mark = 88

# %% solve="peak"
def peak(X):
    return np.cumsum(X, axis=1).max(axis=0)
