# mistake = "returns the last running sum instead of the highest"
# changes = ["peak"]
# mark = 88

# %% solve="peak"
def peak(X):
    return X.sum(axis=0)
