# mistake = "the highest sum so far starts at 0"
# changes = ["peak"]
# mark = 88

# %% solve="peak"
def peak(X):
    total = np.zeros(X.shape[1])
    highest = np.zeros(X.shape[1])
    for row in X:
        total += row
        np.maximum(highest, total, out=highest)
    return highest
