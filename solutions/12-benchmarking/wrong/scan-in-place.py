# mistake = "fast but writes into its argument, so the race is not even run"
# changes = ["scan"]
# mark = 88

# %% solve="scan"
def scan(X):
    for t in range(1, len(X)):
        X[t] += X[t - 1]
    return X
