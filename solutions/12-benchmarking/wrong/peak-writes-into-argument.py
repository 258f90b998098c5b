# mistake = "fast, but the running sum is a view of the caller's first row, so the race is not even run"
# changes = ["peak"]
# mark = 88

# %% solve="peak"
def peak(X):
    total = X[0]
    highest = total.copy()
    for row in X[1:]:
        total += row
        np.maximum(highest, total, out=highest)
    return highest
