# mistake = "right but slow: numpy's cumsum walks down the columns"
# changes = ["peak"]
# mark = 95

# %% solve="peak"
def peak(X):
    return np.cumsum(X, axis=0).max(axis=0)
