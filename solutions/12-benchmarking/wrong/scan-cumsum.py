# mistake = "right but slow: numpy's cumsum walks down the columns"
# changes = ["scan"]
# mark = 95

# %% solve="scan"
def scan(X):
    return np.cumsum(X, axis=0)
