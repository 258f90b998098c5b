# mistake = "the highest sum is the same array as the running sum"
# changes = ["peak"]
# mark = 88

# %% solve="peak"
def peak(X):
    total = X[0].copy()
    highest = total
    for row in X[1:]:
        total += row
        np.maximum(highest, total, out=highest)
    return highest
